/** Counting over time: errors a second just now, and errors a minute by level. */

import type { Levels, Minute } from "./wire";

const MINUTE_MS = 60_000;
/** A day of minutes is kept, which is the longest range the histogram draws. */
const MAX_MINUTES = 1_440;
const RATE_WINDOW_S = 5;

/** Errors a second over the last few seconds, from counts as they arrive. */
export class Rate {
  private readonly seconds = new Array<number>(RATE_WINDOW_S + 1).fill(0);
  private second = 0;
  private since = 0;

  add(nowMs: number, count: number): void {
    this.move(nowMs);
    this.since ||= nowMs;
    this.seconds[this.second % this.seconds.length]! += count;
  }

  /** The running second counts for the part of it that has passed. */
  perSecond(nowMs: number): number {
    this.move(nowMs);
    const whole = this.seconds.reduce((all, count) => all + count, 0);
    const span = Math.min(RATE_WINDOW_S + (nowMs % 1000) / 1000, (nowMs - this.since) / 1000);
    return this.since ? whole / Math.max(1, span) : 0;
  }

  private move(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const steps = Math.min(this.seconds.length, second - this.second);
    for (let step = 0; step < steps; step++) this.seconds[(second - step) % this.seconds.length] = 0;
    if (second > this.second) this.second = second;
  }
}

/** Errors a minute by level. */
export class Minutes {
  private byMinute = new Map<number, Levels>();

  replace(minutes: readonly Minute[]): void {
    this.byMinute = new Map(minutes.map(([at, levels]) => [floor(at), { ...levels }]));
  }

  add(atMs: number, levels: Levels): void {
    const minute = floor(atMs);
    const known = this.byMinute.get(minute) ?? {};
    for (const [level, count] of Object.entries(levels) as [keyof Levels, number][]) {
      known[level] = (known[level] ?? 0) + count;
    }
    this.byMinute.set(minute, known);
    for (const old of this.byMinute.keys()) {
      if (this.byMinute.size <= MAX_MINUTES) break;
      this.byMinute.delete(old);
    }
  }

  /** `count` bars of `minutes` each, oldest first, the last one holding `nowMs`. */
  bars(nowMs: number, count: number, minutes = 1): Minute[] {
    const width = minutes * MINUTE_MS;
    const last = Math.floor(nowMs / width) * width;
    const bars: Minute[] = Array.from({ length: count }, (_, index) => [last - (count - 1 - index) * width, {}]);
    for (const [at, levels] of this.byMinute) {
      const bar = bars[count - 1 - (last - Math.floor(at / width) * width) / width];
      if (!bar) continue;
      for (const [level, n] of Object.entries(levels) as [keyof Levels, number][]) {
        bar[1][level] = (bar[1][level] ?? 0) + n;
      }
    }
    return bars;
  }
}

/** All of a bar, or of a frame. */
export function totalOf(levels: Levels): number {
  return Object.values(levels).reduce((all, count) => all + count, 0);
}

function floor(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}
