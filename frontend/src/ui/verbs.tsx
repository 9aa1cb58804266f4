/** What a member may say of issues. */

import type { StatusChange } from "../issue-api";
import type { Status } from "../wire";
import { deskOf } from "./desk";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Popover } from "./popover";
import "../styles/pop.css";

const HOUR_S = 3_600;
const IGNORING: readonly [label: string, how: Pick<StatusChange, "for_s" | "more">, words: string][] = [
  ["For an hour", { for_s: HOUR_S }, " for an hour"],
  ["For a day", { for_s: 24 * HOUR_S }, " for a day"],
  ["For a week", { for_s: 168 * HOUR_S }, " for a week"],
  ["Until 10 more", { more: 10 }, " until 10 more came"],
  ["Until 100 more", { more: 100 }, " until 100 more came"],
  ["Until 1,000 more", { more: 1_000 }, " until 1,000 more came"],
  ["For ever", {}, " for ever"],
];

interface VerbsProps {
  live: Live;
  ids: readonly string[];
  /** What is said of them now; null: of each something else. */
  status: Status | null;
  isCompact?: boolean;
}

export function Verbs({ live, ids, status, isCompact = false }: VerbsProps) {
  const set = (next: Status) => () => void deskOf(live).say({ ids, status: next });
  return (
    <>
      {status !== "resolved" && (
        <button class={isCompact ? "btn" : "btn p"} onClick={set("resolved")}>
          <Icon name="check" />
          Resolve {!isCompact && <kbd class="d-only">x</kbd>}
        </button>
      )}
      {status !== "ignored" && <Ignore live={live} ids={ids} isCompact={isCompact} />}
      {status !== "open" && (
        <button class="btn" onClick={set("open")}>
          <Icon name="reopen" />
          Reopen
        </button>
      )}
    </>
  );
}

function Ignore({ live, ids, isCompact }: { live: Live; ids: readonly string[]; isCompact: boolean }) {
  const face = (
    <>
      <Icon name="ignore" />
      {!isCompact && "Ignore"}
      <Icon name="down" />
    </>
  );
  return (
    <Popover label="Ignore" button={face}>
      {(close) => (
        <div class="pop list">
          {IGNORING.map(([label, how, words]) => (
            <button
              class="btn q"
              onClick={() => {
                close();
                void deskOf(live).say({ ids, status: "ignored", ...how }, words);
              }}
            >
              {label}
              {label === "For ever" && <kbd class="d-only">i</kbd>}
            </button>
          ))}
        </div>
      )}
    </Popover>
  );
}
