/** How much a filter finds. */

import { rangeWords } from "../range";
import { count } from "../text";
import type { Live } from "./live";

/** How many errors of the range match, and of how many. */
export function Found({ live }: { live: Live }) {
  live.painted.value;
  if (live.query.value === "" || !live.feed.ready) return null;
  const { chart } = live;
  const { found } = chart;
  if (chart.isStale.value || found === null) return <span class="cnt">…</span>;
  const of = chart.all.value === null ? "" : ` of ${count(Math.max(found, chart.all.value))}`;
  const words = live.range.value.kind === "any" ? "in the last hour" : rangeWords(live.range.value, live.feed.serverNow()).toLowerCase();
  return (
    <span class="cnt" title={`Errors that match, ${words}`}>
      {count(found)}
      {chart.isCut.value && "+"}
      {of}
    </span>
  );
}
