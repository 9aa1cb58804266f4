/** Did that fix it: an issue since the newest marker and before, with a timer that runs. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Fix } from "../fix";
import type { Issue } from "../wire";
import { deskOf } from "./desk";
import type { Live } from "./live";
import { VerdictSaid } from "./verdict-said";
import "../styles/issues.css";

/** What was counted is counted anew so often; the seconds between run by themselves. */
const RECOUNT_S = 15;

export function VerdictLine({ live, issue }: { live: Live; issue: Issue }) {
  const known = useSignal<{ fix: Fix; count: number } | null>(null);
  const newest = live.feed.markers.newest?.id ?? "";
  const round = Math.floor(live.second.value / RECOUNT_S);
  useEffect(() => {
    let isMeant = true;
    const { count } = issue;
    deskOf(live).api.fix(issue.id).then(
      (fix) => isMeant && (known.value = { fix, count }),
      () => {}, // the line is left out; the error itself is shown all the same
    );
    return () => void (isMeant = false);
  }, [live, issue.id, newest, round]);
  if (!known.value) return null;
  const { fix, count } = known.value;
  return (
    <VerdictSaid fix={fix} more={Math.max(0, issue.count - count)} lastSeenAt={issue.last_seen_at} now={live.feed.serverNow()}>
      <a class="out" href={`${live.boot.page}/issues/${issue.id}`}>
        The issue's page
      </a>
    </VerdictSaid>
  );
}
