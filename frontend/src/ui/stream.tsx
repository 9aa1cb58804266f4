/** The stream: the header row with its columns, and the recycled list below it. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { clock, count, day, plain } from "../text";
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
  useEffect(() => mount(live, grid.current!), [live]);
  return (
    <div
      class="grid"
      ref={grid}
      role="grid"
      aria-label="Errors, newest first"
      aria-rowcount={-1}
      tabIndex={0}
      aria-activedescendant={live.at.value ? `r${live.at.value}` : undefined}
      style={{ "--columns": template(live.columns.value) }}
    >
      <Header live={live} />
      <div class="rows tall" role="rowgroup" />
      <End live={live} />
      <Nothing live={live} />
    </div>
  );
}

/** The list draws itself with every paint, outside the virtual tree. */
function mount(live: Live, grid: HTMLElement): () => void {
  const list = new List(grid, grid.querySelector<HTMLElement>(".rows")!, {
    open: (item) => (live.selected.value === item.row.id ? live.close() : live.open(item.row.id)),
    gap: (gap) => void live.connection.fill(gap),
    scrolled: (top) => live.scrolled(top),
    reachedEnd: () => live.connection.more(),
  });
  live.list = list;
  let last = 0;
  const stop = effect(() => {
    live.painted.value;
    const { feed } = live;
    const newest = feed.rows.items.at(-1)?.key ?? 0;
    list.draw(feed.rows.items, {
      columns: live.columns.value,
      words: wordsOf(live.query.value),
      selected: live.at.value,
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
          <span class="cut u" dir="auto" title={plain(name)}>
            <Text text={name} />
          </span>
          <button class="drop" aria-label={plain(`Remove the column ${name}`)} onClick={() => live.toggleColumn(name)}>
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
  if (feed.rows.items.length === 0) return null;
  return (
    <div class="more" role="row">
      <span role="gridcell">
      {feed.rows.complete
        ? "That is all there is."
        : feed.rows.isFull
          ? `${count(feed.rows.kept)} rows kept. Filter to look further back.`
          : live.settled.value
            ? "Scroll for older errors"
            : "Looking further back…"}
      </span>
    </div>
  );
}

/** How far an empty list was looked for. */
function searched({ feed }: Live): string {
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
      <b>Nothing matches</b>
      <span>{searched(live)} New ones will appear here.</span>
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
      </span>
    </div>
  );
}
