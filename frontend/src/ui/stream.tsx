/** The stream: the header row with its columns, and the recycled list below it. */

import { effect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { clock, count, day } from "../text";
import { ANY, stretchWords } from "../range";
import { Header, widths } from "./columns";
import { Icon } from "./icons";
import { List } from "./list";
import type { Live } from "./live";
import { prefs } from "./prefs";
import { wordsOf } from "./query-text";

export function Stream({ live }: { live: Live }) {
  return (
    <div class="stream">
      <Past live={live} />
      <Grid live={live} />
      <Nothing live={live} />
    </div>
  );
}

/** History says loudly that it is no stream. */
function Past({ live }: { live: Live }) {
  live.painted.value;
  const { feed, chart } = live;
  if (!feed.isPast) return null;
  const { since, until } = feed.span;
  return (
    <div class="past" role="status">
      <Icon name="clock" />
      <span>
        <b>History</b> {stretchWords({ from: since ?? 0, to: until! }, feed.serverNow())}
      </span>
      <span class="dim">new errors are not listed here</span>
      <span class="grow" />
      <button class="btn" onClick={() => chart.toNow()}>
        Go live
      </button>
    </div>
  );
}

function Grid({ live }: { live: Live }) {
  const grid = useRef<HTMLDivElement>(null);
  useEffect(() => mount(live, grid.current!), [live]);
  const { rows } = live.feed;
  const isHere = rows.items.length > 0;
  const columns = useMemo(
    () => widths(live.columns.value, rows.items.slice(-200).flatMap((item) => (item.kind === "error" ? [item.row] : []))),
    [live.columns.value, live.feed.epoch, live.settled.value, isHere], // not with every row: columns must not dance
  );
  return (
    <div
      class={`grid ${prefs.value.isCompact ? "compact" : ""} ${prefs.value.wraps ? "wraps" : ""} ${live.isPaused.value ? "paused" : ""}`}
      ref={grid}
      role="grid"
      aria-label="Errors, newest first"
      aria-rowcount={-1}
      tabIndex={0}
      aria-activedescendant={live.at.value ? `r${live.at.value}` : undefined}
      style={{ "--columns": columns }}
    >
      <Header live={live} />
      <div class="rows tall" role="rowgroup" />
      <End live={live} />
    </div>
  );
}

/** The list draws itself with every paint, outside the virtual tree. */
function mount(live: Live, grid: HTMLElement): () => void {
  const list = new List(grid, grid.querySelector<HTMLElement>(".rows")!, {
    open: (item) => (live.selected.value === item.row.id ? live.reading.close() : live.reading.open(item.row.id)),
    gap: (gap) => void live.connection.fill(gap),
    scrolled: (top) => live.scrolled(top),
    reachedEnd: () => live.connection.more(),
  });
  live.list = list;
  let last = 0;
  const stop = effect(() => {
    live.painted.value;
    if (prefs.value.tellsAge) live.second.value;
    const { feed } = live;
    const newest = feed.rows.items.at(-1)?.key ?? 0;
    list.draw(feed.rows.items, {
      columns: live.columns.value,
      words: wordsOf(live.query.value),
      selected: live.at.value,
      glow: last > 0 && newest > last && newest - last < 6 && !feed.isStorm,
      now: live.feed.serverNow(),
      tellsAge: prefs.value.tellsAge,
      zone: prefs.value.zone,
    });
    last = newest;
    grid.ariaBusy = String(!live.settled.value);
  });
  const wide = matchMedia("(max-width: 760px)");
  const redraw = () => list.redraw();
  wide.addEventListener("change", redraw);
  const stopMeasuring = effect(() => {
    prefs.value;
    queueMicrotask(redraw); // when the classes are on the grid
  });
  return () => {
    stop();
    stopMeasuring();
    wide.removeEventListener("change", redraw);
    live.list = null;
  };
}

/** Below the oldest row: whether there are older ones. */
function End({ live }: { live: Live }) {
  live.painted.value;
  const { feed } = live;
  if (feed.rows.items.length === 0) return null;
  return (
    <div class="more" role="row">
      <span role="gridcell">
      {feed.rows.complete
        ? ending(live)
        : feed.rows.isFull
          ? `${count(feed.rows.kept)} rows kept. Filter to look further back.`
          : live.settled.value
            ? "Scroll for older errors"
            : "Looking further back…"}
      </span>
    </div>
  );
}

/** What the end of the list means. */
function ending(live: Live): string {
  const { since } = live.feed.span;
  return since === null ? "That is all there is." : `That is all since ${day(since, Date.now())} ${clock(since)}.`;
}

/** How far an empty list was looked for. */
function searched(live: Live): string {
  const { feed } = live;
  const { since, until } = feed.span;
  if (feed.rows.complete && since !== null) {
    const when = until === null ? `since ${day(since, Date.now())} ${clock(since).slice(0, 5)}`.replace("  ", " ") : "in this time";
    return live.query.value ? `No error ${when} fits this filter.` : `No error ${when}.`;
  }
  if (feed.rows.complete || feed.rows.reachedAt === null) return "No error of this stack fits this filter.";
  return `No error since ${day(feed.rows.reachedAt, Date.now())} ${clock(feed.rows.reachedAt)} fits this filter.`;
}

function Nothing({ live }: { live: Live }) {
  live.painted.value;
  const { feed } = live;
  if (feed.rows.items.length > 0 || !feed.ready) return null;
  if (!live.settled.value) return null;
  return (
    <div class="nothing">
      <b>{live.query.value ? "Nothing matches" : "Nothing here"}</b>
      <span>{searched(live)}{feed.isPast ? "" : " New ones will appear here."}</span>
      <span class="does">
        {!feed.rows.complete && (
          <button class="btn" onClick={() => live.connection.more()}>
            Look further back
          </button>
        )}
        {live.query.value && (
          <button class="btn" onClick={() => live.setQuery("")}>
            Clear the filter
          </button>
        )}
        {live.range.value.kind !== "any" && (
          <button class="btn" onClick={() => live.setRange(ANY)}>
            Any time
          </button>
        )}
      </span>
    </div>
  );
}
