/**
 * Errors over time as bars: severe, warning, other. Own SVG. A part of it is marked by dragging, by a
 * click on a bar or by the arrow keys; the list then shows that part alone.
 */

import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { sum, totalOf } from "../counters";
import { by } from "../markers";
import { charted, lastWords, stretchWords, type Range, type Stretch } from "../range";
import { count, plain, plural } from "../text";
import { clock, day } from "../time";
import type { Levels, Minute } from "../wire";
import { Icon } from "./icons";
import type { Live } from "./live";
import { PrefsMenu } from "./parts";
import { Pill } from "./pill";
import { Popover } from "./popover";

const HEIGHT = 64;
const STEP = 10;
const BAR = 8.2;
const TICKS = 5;
/** Lines for markers; the newest of a stretch. */
const MAX_MARKS = 40;
const DAY_MS = 86_400_000;
/** A press this near to an end of the mark moves that end. */
const GRIP_PX = 7;

const hovered = signal<number | null>(null);

export function Histogram({ live }: { live: Live }) {
  live.painted.value;
  live.second.value;
  const { bars } = live.chart;
  return (
    <div class={`hist ${live.chart.isStale.value ? "stale" : ""}`}>
      <div class="hd">
        <Headline live={live} bars={bars} />
        <Verbs live={live} />
        <Pill live={live} className="m-pill" />
        <div class="leg" aria-hidden="true">
          <span><i class="sq e" />error</span>
          <span><i class="sq w" />warning</span>
          <span><i class="sq o" />other</span>
        </div>
        <button class="btn q t-only" aria-label="Fields" title="Fields" onClick={() => live.toggleFields()}>
          <Icon name="fields" />
        </button>
        <Popover className="btn q" label="How the list looks, and downloads" button={<Icon name="sliders" />}>
          {() => <PrefsMenu live={live} />}
        </Popover>
      </div>
      <Plot live={live} bars={bars} />
      <Axis live={live} bars={bars} />
    </div>
  );
}

function Verbs({ live }: { live: Live }) {
  const { chart } = live;
  if (chart.brush) {
    return (
      <span class="ranges">
        <button class="btn" onClick={() => chart.zoomIn()}>Zoom in</button>
        <button class="btn" onClick={() => chart.clear()}>Clear</button>
      </span>
    );
  }
  if (live.range.value.kind !== "between") return null;
  return (
    <span class="ranges">
      <button class="btn" onClick={() => chart.zoomOut()}>Zoom out</button>
    </span>
  );
}

/** How many errors, in which time: of the marked part, of the bar under the pointer, or of all. */
function Headline({ live, bars }: { live: Live; bars: Minute[] }) {
  const { chart } = live;
  const bar = hovered.value === null || chart.drawn.value ? undefined : bars[hovered.value];
  const brush = chart.brush;
  const total = bar ? totalOf(bar[1]) : brush ? chart.marked : totalOf(sum(bars));
  const now = live.feed.serverNow();
  const where = bar ? stretchWords({ from: bar[0], to: bar[0] + live.feed.bins.stepMs }, now) : brush ? stretchWords(brush, now) : rangeIn(chart.counted.value, now);
  return (
    <span class="big">
      {count(total)}
      {chart.isCut.value && !bar && !brush && "+"}
      <small>
        {total === 1 ? "error" : "errors"} in {where}
      </small>
    </span>
  );
}

function rangeIn(range: Range, now: number): string {
  if (range.kind === "between") return stretchWords(charted(range, now), now);
  return `the last ${range.kind === "last" ? lastWords(range.ms) : "hour"}`;
}

function Axis({ live, bars }: { live: Live; bars: Minute[] }) {
  const range = live.chart.counted.value;
  const isOver = range.kind === "between" && range.to !== null;
  const { from, to } = live.chart.stretch;
  const words = to - from > 2 * DAY_MS ? dateOf : (at: number) => clock(at).slice(0, to - from < 300_000 ? 8 : 5);
  const ticks = Array.from({ length: TICKS }, (_, index) => bars[Math.floor((index / TICKS) * bars.length)]?.[0] ?? from);
  return (
    <div class="ax" aria-hidden="true">
      {ticks.map((at) => (
        <span>{words(at)}</span>
      ))}
      <span>{isOver ? words(to) : "now"}</span>
    </div>
  );
}

const dateOf = (at: number) => day(at, 0).replace(/ \d{4}$/, "");

function Plot({ live, bars }: { live: Live; bars: Minute[] }) {
  const { chart } = live;
  const anchor = useRef<number | null>(null);
  const step = live.feed.bins.stepMs;
  const start = bars[0]?.[0] ?? 0;
  const brush = chart.brush;
  const places = brush && ([brush.from, brush.to].map((at) => (at - start) / step) as [number, number]);
  const mark = (one: number, other: number): Stretch => ({ from: start + Math.min(one, other) * step, to: start + (Math.max(one, other) + 1) * step });
  const at = (event: PointerEvent) => barAt(event, bars.length);

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const end = brush && gripped(event, bars.length, places!);
    anchor.current = end ?? at(event);
    hovered.value = null;
    if (end === null) chart.draw(mark(anchor.current!, anchor.current!));
  };
  const move = (event: PointerEvent) => {
    if (anchor.current !== null) chart.draw(mark(anchor.current, at(event)));
    else if (event.pointerType === "mouse") hovered.value = at(event);
  };
  const up = () => {
    if (anchor.current === null) return;
    anchor.current = null;
    chart.keep();
  };
  const lost = () => {
    anchor.current = null;
    chart.drawn.value = null;
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && brush) chart.zoomIn();
    else if (["Escape", "Delete", "Backspace"].includes(event.key) && brush) chart.clear();
    else {
      const next = moved(event, bars.length, places);
      if (!next) return;
      chart.drawByKeys(mark(...next));
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const last = bars.length - 1;
  const marked = brush ? `${plural(chart.marked, "error")}, ${stretchWords(brush, live.feed.serverNow())}` : "nothing marked";
  return (
    <div
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label="Errors over time. Arrow keys mark a bar, with shift more of them; enter zooms in, escape clears"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={places ? clamp(places[0], last) : last}
      aria-valuetext={marked}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={lost}
      onPointerLeave={() => (hovered.value = null)}
      onKeyDown={key}
    >
      <Bars bars={bars} places={places} />
      <Marks live={live} from={start} to={start + bars.length * step} />
    </div>
  );
}

/** The bar that stays when an end of the mark was pressed: that at its other end. */
function gripped(event: PointerEvent, size: number, [from, to]: [number, number]): number | null {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  const near = (place: number) => Math.abs(event.clientX - box.left - (place / size) * box.width) < GRIP_PX;
  if (to - from < 2) return null;
  return near(from) ? to - 1 : near(to) ? from : null;
}

/** Which bars are marked after a key: the next one, or with shift one more. */
function moved({ key, shiftKey }: KeyboardEvent, size: number, places: [number, number] | null): [number, number] | null {
  const last = size - 1;
  const [from, to] = places ? [places[0], places[1] - 1] : [last, last];
  const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -size, End: size }[key];
  if (by === undefined) return null;
  if (!places) return [last, last];
  if (shiftKey) return by < 0 ? [clamp(from + by, last), to] : [from, clamp(to + by, last)];
  const next = clamp((by < 0 ? from : to) + by, last);
  return [next, next];
}

function clamp(place: number, last: number): number {
  return Math.max(0, Math.min(last, Math.round(place)));
}

function Bars({ bars, places }: { bars: Minute[]; places: [number, number] | null }) {
  const highest = Math.max(1, ...bars.map(([, levels]) => totalOf(levels)));
  const width = bars.length * STEP;
  return (
    <svg class="h" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="base" d={`M0 ${HEIGHT - 0.5}H${width}`} />
      {places ? (
        <>
          <rect class="at" x={places[0] * STEP} y="0" width={(places[1] - places[0]) * STEP} height={HEIGHT} />
          <path class="ends" d={places.map((place) => `M${place * STEP} 0V${HEIGHT}`).join("")} />
        </>
      ) : (
        hovered.value !== null && <rect class="at" x={hovered.value * STEP} y="0" width={STEP} height={HEIGHT} />
      )}
      {(["o", "w", "e"] as const).map((part) => (
        <path class={part} d={bars.map(([, levels], index) => barPath(index, levels, part, highest)).join("")} />
      ))}
    </svg>
  );
}

/** Markers as lines in the chart. */
function Marks({ live, from, to }: { live: Live; from: number; to: number }) {
  return (
    <>
      {live.feed.markers.between(from, to).slice(-MAX_MARKS).map((marker) => (
        <i class="marker" key={marker.id} style={`left:${(((marker.at - from) / (to - from)) * 100).toFixed(2)}%`} title={`${plain(marker.text)} · ${by(marker)}`} />
      ))}
    </>
  );
}

function barAt(event: PointerEvent, size: number): number {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  return Math.max(0, Math.min(size - 1, Math.floor(((event.clientX - box.left) / box.width) * size)));
}

/** One bar's part as a path: three paths hold all bars, not three rectangles each. */
function barPath(index: number, levels: Levels, part: "e" | "w" | "o", highest: number): string {
  const severe = (levels.error ?? 0) + (levels.fatal ?? 0);
  const warning = levels.warning ?? 0;
  const other = (levels.info ?? 0) + (levels.debug ?? 0);
  const [own, below] = { o: [other, 0], w: [warning, other], e: [severe, other + warning] }[part] as [number, number];
  if (own === 0) return "";
  const scale = (HEIGHT - 4) / highest;
  const gap = below > 0 ? 0.7 : 0;
  const height = Math.max(1.2, own * scale - gap);
  const bottom = HEIGHT - 1.2 - below * scale - gap;
  return `M${(index * STEP + (STEP - BAR) / 2).toFixed(1)} ${bottom.toFixed(1)}h${BAR}v${(-height).toFixed(1)}h${-BAR}z`;
}
