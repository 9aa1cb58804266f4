/** The stream: the header row with its columns, and the recycled list below it. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { count } from "../text";
import { Icon } from "./icons";
import { List } from "./list";
import type { Live } from "./live";
import { Pill } from "./pill";
import { wordsOf } from "./query-text";
import { Text } from "./value";

/** Widths of the columns a person added, for the header and every row alike. */
function template(columns: readonly string[]): string {
  return columns.map((_, index) => (index === columns.length - 1 ? "minmax(52px, 96px)" : "minmax(60px, 96px)")).join(" ");
}

export function Stream({ live }: { live: Live }) {
  const grid = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  useEffect(() => mount(live, rows.current!, grid.current!), [live]);
  return (
    <div
      class="grid"
      ref={grid}
      role="grid"
      aria-label="Errors, newest first"
      aria-rowcount={-1}
      tabIndex={0}
      aria-activedescendant={live.selected.value ? `r${live.selected.value}` : undefined}
      style={{ "--columns": template(live.columns.value) }}
    >
      <Header live={live} />
      <div class="rows" ref={rows} role="rowgroup">
        <div class="tall" role="presentation" />
        <End live={live} />
      </div>
      <Nothing live={live} />
    </div>
  );
}

/** The list draws itself with every paint, outside the virtual tree. */
function mount(live: Live, rows: HTMLElement, grid: HTMLElement): () => void {
  const list = new List(rows, {
    open: (item) => (live.selected.value === item.row.id ? live.close() : live.open(item.row.id)),
    gap: (gap) => void live.fill(gap),
    scrolled: (top) => live.scrolled(top),
    reachedEnd: () => live.more(),
  });
  live.list = list;
  let last = 0;
  const stop = effect(() => {
    live.painted.value;
    const { feed } = live;
    const newest = feed.items.at(-1)?.key ?? 0;
    list.draw(feed.items, {
      columns: live.columns.value,
      words: wordsOf(live.query.value),
      selected: live.selected.value,
      glow: last > 0 && newest > last && newest - last < 6 && !feed.isStorm,
      now: Date.now(),
    });
    last = newest;
    grid.ariaBusy = String(!live.settled.value);
  });
  const wide = matchMedia("(max-width: 760px)");
  const redraw = () => list.redraw();
  wide.addEventListener("change", redraw);
  list.redraw();
  return () => {
    stop();
    wide.removeEventListener("change", redraw);
    live.list = null;
  };
}

function Header({ live }: { live: Live }) {
  return (
    <div class="hdrow" role="row" aria-rowindex={1}>
      <span />
      <span role="columnheader">Time</span>
      <span role="columnheader">Level</span>
      <span role="columnheader">
        Message
        <Pill live={live} />
      </span>
      {live.columns.value.map((name) => (
        <span role="columnheader" key={name}>
          <span class="cut u" dir="auto" title={name}>
            <Text text={name} />
          </span>
          <button class="drop" aria-label={`Remove the column ${name}`} onClick={() => live.toggleColumn(name)}>
            <Icon name="close" />
          </button>
        </span>
      ))}
    </div>
  );
}

/** Below the oldest row: whether there are older ones. */
function End({ live }: { live: Live }) {
  live.painted.value;
  const { feed } = live;
  if (feed.items.length === 0) return null;
  return (
    <div class="more" role="presentation">
      {feed.complete
        ? "That is all there is."
        : feed.isFull
          ? `${count(feed.kept)} rows kept. Filter to look further back.`
          : live.settled.value
            ? "Scroll for older errors"
            : "Looking further back…"}
    </div>
  );
}

function Nothing({ live }: { live: Live }) {
  live.painted.value;
  const { feed } = live;
  if (feed.items.length > 0 || !feed.ready) return null;
  if (!live.settled.value) return null;
  return (
    <div class="nothing">
      <b>Nothing matches</b>
      <span>{feed.complete ? "No error of this stack fits this filter." : "No recent error fits this filter; older ones were not all looked at."} New ones will appear here.</span>
      {live.query.value && (
        <button class="btn" onClick={() => live.setQuery("")}>
          Clear the filter
        </button>
      )}
    </div>
  );
}
