/** Counting over time: errors a second just now, and errors by level in bins of one length. */

import type { Stretch } from "./range";
import type { Levels, Minute } from "./wire";

const MINUTE_MS = 60_000;
/** Far more than a chart has bars. */
const MAX_BINS = 1_000;
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

/** Errors by level in stretches of time that are all as long. */
export class Bins {
  stepMs = MINUTE_MS;
  private byStart = new Map<number, Levels>();

  replace(bins: readonly Minute[], stepMs = MINUTE_MS): void {
    this.stepMs = stepMs;
    this.byStart = new Map(bins.map(([at, levels]) => [this.start(at), { ...levels }]));
  }

  /** The same bins counted anew. Counters lag by a moment: the newest keep what was heard of them. */
  renew(bins: readonly Minute[], stepMs: number, nowMs: number): void {
    const heard = [this.start(nowMs - this.stepMs), this.start(nowMs)].map((at) => [at, this.byStart.get(at)] as const);
    const isSame = stepMs === this.stepMs;
    this.replace(bins, stepMs);
    if (!isSame) return;
    for (const [at, levels] of heard) if (levels) this.byStart.set(at, larger(levels, this.byStart.get(at) ?? {}));
  }

  add(atMs: number, levels: Levels): void {
    const start = this.start(atMs);
    const known = this.byStart.get(start) ?? {};
    more(known, levels);
    this.byStart.set(start, known);
    for (const old of this.byStart.keys()) {
      if (this.byStart.size <= MAX_BINS) break;
      this.byStart.delete(old);
    }
  }

  /** A bar for every bin that lies in `from` up to `to`, oldest first; also the empty ones. */
  bars({ from, to }: Stretch): Minute[] {
    const bars: Minute[] = [];
    for (let at = this.start(from); at < to && bars.length < MAX_BINS; at += this.stepMs) bars.push([at, this.byStart.get(at) ?? {}]);
    return bars;
  }

  private start(at: number): number {
    return Math.floor(at / this.stepMs) * this.stepMs;
  }
}

/** All bars as one. */
export function sum(bars: readonly Minute[]): Levels {
  const all: Levels = {};
  for (const [, levels] of bars) more(all, levels);
  return all;
}

function more(known: Levels, levels: Levels): void {
  for (const [level, count] of Object.entries(levels) as [keyof Levels, number][]) known[level] = (known[level] ?? 0) + count;
}

function larger(one: Levels, other: Levels): Levels {
  const both = { ...one };
  for (const [level, count] of Object.entries(other) as [keyof Levels, number][]) both[level] = Math.max(both[level] ?? 0, count);
  return both;
}

/** All of a bar, or of a frame. */
export function totalOf(levels: Levels): number {
  return Object.values(levels).reduce((all, count) => all + count, 0);
}
