/** What a member may do with an issue. */

import type { Status } from "../wire";
import { Icon } from "./icons";
import type { Live } from "./live";

export function Verbs({ live, id, status, isCompact = false }: { live: Live; id: string; status: Status; isCompact?: boolean }) {
  const set = (next: Status) => () => void live.setStatus(id, next);
  if (status !== "open") {
    return (
      <button class="btn" onClick={set("open")}>
        <Icon name="reopen" />
        Reopen
      </button>
    );
  }
  return (
    <>
      <button class={isCompact ? "btn" : "btn p"} onClick={set("resolved")}>
        <Icon name="check" />
        Resolve {!isCompact && <kbd class="d-only">x</kbd>}
      </button>
      <button class="btn" aria-label="Ignore" onClick={set("ignored")}>
        <Icon name="ignore" />
        {!isCompact && "Ignore"}
      </button>
    </>
  );
}
