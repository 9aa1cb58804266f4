/** What a member may say of issues. */

import type { StatusChange } from "../issue-api";
import type { Status } from "../wire";
import { deskOf } from "./desk";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Popover } from "./popover";
import "../styles/pop.css";

const DAY_S = 86_400;
const IGNORING: readonly [label: string, how: Pick<StatusChange, "for_s" | "more">][] = [
  ["for an hour", { for_s: 3_600 }],
  ["for a day", { for_s: DAY_S }],
  ["for a week", { for_s: 7 * DAY_S }],
  ["until 10 more", { more: 10 }],
  ["until 100 more", { more: 100 }],
  ["until 1,000 more", { more: 1_000 }],
  ["for ever", {}],
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
          {IGNORING.map(([label, how]) => (
            <button
              class="btn q"
              onClick={() => {
                close();
                void deskOf(live).say({ ids, status: "ignored", ...how }, ` ${label}`);
              }}
            >
              {label}
              {!how.for_s && !how.more && <kbd class="d-only">i</kbd>}
            </button>
          ))}
        </div>
      )}
    </Popover>
  );
}
