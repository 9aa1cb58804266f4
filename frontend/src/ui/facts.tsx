/** What is known of an error's issue: how often, since when, and a spark of the last day. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { totalOf } from "../counters";
import { ago, plural } from "../text";
import type { Issue, Minute, Row } from "../wire";
import type { Live } from "./live";
import { include } from "./query-text";

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
    <div class="facts">
      <div>
        <small>Last 24 h</small>
        <Spark minutes={minutes.value} now={now} />
      </div>
      <button onClick={() => live.setQuery(include(live.query.value, "issue", row.issue))} title="List its errors">
        <small>Seen</small>
        {plural(issue.count, "time")}
      </button>
      <div>
        <small>First seen</small>
        {ago(issue.first_seen_at, now)}
      </div>
    </div>
  );
}

/** What cannot be loaded here is left out; the error itself is shown all the same. */
function ignore(): void {}

function Spark({ minutes, now }: { minutes: Minute[]; now: number }) {
  const hours = new Array<number>(SPARKS).fill(0);
  for (const [at, levels] of minutes) {
    const index = SPARKS - 1 - (Math.floor(now / HOUR_MS) - Math.floor(at / HOUR_MS));
    if (index >= 0 && index < SPARKS) hours[index]! += totalOf(levels);
  }
  const highest = Math.max(1, ...hours);
  return (
    <svg viewBox="0 0 120 20" preserveAspectRatio="none" role="img" aria-label={`${plural(hours.reduce((a, b) => a + b, 0), "error")} in 24 hours`}>
      {hours.map((hour, index) => {
        const height = hour === 0 ? 1 : Math.max(2, (hour / highest) * 19);
        return <rect class={hour < highest / 2 ? "old" : ""} x={index * 5} y={20 - height} width={3.8} height={height} rx={0.8} />;
      })}
    </svg>
  );
}
