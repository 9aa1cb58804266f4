/** Errors a minute as bars: severe, warning, other. Own SVG; a bar under the pointer tells itself. */

import { signal } from "@preact/signals";
import { totalOf } from "../counters";
import { clock, count } from "../text";
import type { Levels, Minute } from "../wire";
import type { Live } from "./live";
import { Pill } from "./pill";

interface Range {
  label: string;
  words: string;
  bars: number;
  minutes: number;
}

const RANGES: readonly [Range, ...Range[]] = [
  { label: "1 h", words: "the last hour", bars: 60, minutes: 1 },
  { label: "6 h", words: "the last 6 hours", bars: 72, minutes: 5 },
  { label: "24 h", words: "the last 24 hours", bars: 96, minutes: 15 },
];
const HEIGHT = 64;
const STEP = 10;
const BAR = 8.2;

const range = signal<Range>(RANGES[0]);
const hovered = signal<number | null>(null);

export function Histogram({ live }: { live: Live }) {
  live.painted.value;
  live.second.value;
  const { bars: size, minutes } = range.value;
  const now = live.feed.serverNow();
  const bars = live.feed.minutes.bars(now, size, minutes);
  return (
    <div class="hist">
      <div class="hd">
        <Headline bars={bars} isCut={live.areMinutesCut.value} />
        <span class="ranges">
          {RANGES.map((each) => (
            <button class="btn" aria-pressed={each === range.value} onClick={() => choose(live, each)}>
              {each.label}
            </button>
          ))}
        </span>
        <Pill live={live} className="m-pill" />
        <div class="leg" aria-hidden="true">
          <span><i class="sq e" />error</span>
          <span><i class="sq w" />warning</span>
          <span><i class="sq o" />other</span>
        </div>
      </div>
      <Bars bars={bars} />
      <div class="ax" aria-hidden="true">
        {[0, 0.2, 0.4, 0.6, 0.8].map((part) => (
          <span>{clock(bars[Math.round(part * size)]![0]).slice(0, 5)}</span>
        ))}
        <span>now</span>
      </div>
    </div>
  );
}

function choose(live: Live, next: Range): void {
  range.value = next;
  void live.loadMinutes(next.bars * next.minutes);
}

function Headline({ bars, isCut }: { bars: Minute[]; isCut: boolean }) {
  const bar = hovered.value === null ? undefined : bars[hovered.value];
  const total = bar ? totalOf(bar[1]) : bars.reduce((all, [, levels]) => all + totalOf(levels), 0);
  const span = range.value.minutes * 60_000;
  const where = bar
    ? `${clock(bar[0]).slice(0, 5)} – ${clock(bar[0] + span).slice(0, 5)}`
    : range.value.words;
  return (
    <span class="big">
      {count(total)}
      {isCut && !bar && "+"}
      <small>{total === 1 ? "error" : "errors"} in {where}</small>
    </span>
  );
}

function Bars({ bars }: { bars: Minute[] }) {
  const highest = Math.max(1, ...bars.map(([, levels]) => totalOf(levels)));
  const width = bars.length * STEP;
  return (
    <svg
      class="h"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Errors in ${range.value.words}, at most ${count(highest)} in a bar`}
      onPointerMove={(event) => (hovered.value = barAt(event, bars.length))}
      onPointerLeave={() => (hovered.value = null)}
    >
      <path class="base" d={`M0 ${HEIGHT - 0.5}H${width}`} />
      {hovered.value !== null && <rect class="at" x={hovered.value * STEP} y="0" width={STEP} height={HEIGHT} />}
      {(["o", "w", "e"] as const).map((part) => (
        <path class={part} d={bars.map(([, levels], index) => barPath(index, levels, part, highest)).join("")} />
      ))}
    </svg>
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
