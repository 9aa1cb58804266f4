/** What is known of an error's issue: how often, since when, and a spark of the last day. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { totalOf } from "../counters";
import { users } from "../issues";
import { ago, plural } from "../text";
import type { Issue, Minute, Row } from "../wire";
import type { Live } from "./live";
import { include } from "./query-edit";
import { Spark } from "./spark";
import { VerdictLine } from "./verdict";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const SPARKS = 24;

export function Facts({ live, row }: { live: Live; row: Row }) {
  const minutes = useSignal<Minute[]>([]);
  const loaded = useSignal<Issue | null>(null);
  useEffect(() => {
    minutes.value = [];
    loaded.value = null;
    const since = String(Date.now() - DAY_MS);
    live.api.minutes({ issue: row.issue, since, step_s: String(HOUR_MS / 1_000) }).then((got) => (minutes.value = got.minutes), ignore);
    if (!live.feed.issues.has(row.issue)) live.api.issue(row.issue).then((got) => (loaded.value = got), ignore);
  }, [live, row.issue]);
  live.second.value;
  const issue = live.feed.issues.get(row.issue) ?? loaded.value;
  if (!issue) return null;
  const now = live.feed.serverNow();
  return (
    <>
    <VerdictLine live={live} issue={issue} />
    <div class="facts">
      <div>
        <small>Last 24 h</small>
        <Spark counts={hours(minutes.value, now)} span="24 hours" />
      </div>
      <button onClick={() => live.setQuery(include(live.query.value, "issue", row.issue))} title="List its errors">
        <small>Seen</small>
        {plural(issue.count, "time")}
        {issue.users ? `, ${users(issue)}` : ""}
      </button>
      <div>
        <small>First seen</small>
        {ago(issue.first_seen_at, now)}
      </div>
    </div>
    </>
  );
}

/** What cannot be loaded here is left out; the error itself is shown all the same. */
function ignore(): void {}

/** Errors in each of the last 24 hours. */
function hours(minutes: readonly Minute[], now: number): number[] {
  const found = new Array<number>(SPARKS).fill(0);
  for (const [at, levels] of minutes) {
    const index = SPARKS - 1 - (Math.floor(now / HOUR_MS) - Math.floor(at / HOUR_MS));
    if (index >= 0 && index < SPARKS) found[index]! += totalOf(levels);
  }
  return found;
}
