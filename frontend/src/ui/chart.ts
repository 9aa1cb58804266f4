/** The histogram's verbs and state: what is counted, over which time, and the part that is marked. */

import { batch, signal } from "@preact/signals";
import { sum, totalOf } from "../counters";
import { ANY, charted, stepOf, type Range, type Stretch } from "../range";
import type { Minute } from "../wire";
import type { Live } from "./live";

/** A snapshot brings the last hour by minutes; every other chart is asked for. */
const SNAPSHOT_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Counters are written a moment after the errors they count: a live chart is counted anew so often. */
const RECOUNT_S = 60;
const FIRST_RECOUNT_S = 5;
const RECOUNT_ALL_S = 15;
/** A chart that takes the server long is counted in so many parts, two seconds each. */
const MAX_ROUNDS = 12;
/** Moving the mark by keys asks for its errors when the hand has come to rest. */
const REST_MS = 350;

export class Chart {
  /** Not all errors were counted: there are more. */
  readonly isCut = signal(false);
  /** Under a filter: all errors of the range, whether they match or not; null: not known. */
  readonly all = signal<number | null>(null);
  /** The part that is being marked, before the list follows it. */
  readonly drawn = signal<Stretch | null>(null);

  /** The range whose errors are counted: that of the view once its counts are here. */
  readonly counted = signal<Range>(ANY);
  /** Other counts are on their way. */
  readonly isStale = signal(false);

  private asked = 0;
  private isSame = false;
  private restTimer = 0;

  constructor(private readonly live: Live) {}

  /** What the chart shows just now. */
  get stretch(): Stretch {
    return charted(this.counted.value, this.live.feed.serverNow());
  }

  get bars(): Minute[] {
    return this.live.feed.bins.bars(this.stretch);
  }

  /** The marked part, also while it is being drawn. */
  get brush(): Stretch | null {
    return this.drawn.value ?? this.live.brush.value;
  }

  /** Errors of the range that are counted, as far as they match; null before they are. */
  get found(): number | null {
    return this.isStale.value ? null : totalOf(sum(this.bars));
  }

  /** Errors in the marked part. */
  get marked(): number {
    const { brush } = this;
    return brush ? totalOf(sum(this.live.feed.bins.bars(brush))) : 0;
  }

  /** Mark a part for now; the list follows when it is kept. */
  draw(stretch: Stretch): void {
    this.drawn.value = stretch;
  }

  /** Mark it, and keep it when the hand rests. */
  drawByKeys(stretch: Stretch): void {
    this.draw(stretch);
    clearTimeout(this.restTimer);
    this.restTimer = window.setTimeout(() => this.keep(), REST_MS);
  }

  /** List the errors of the marked part. */
  keep(): void {
    clearTimeout(this.restTimer);
    const { value } = this.drawn;
    this.drawn.value = null;
    if (value) this.live.setBrush(value);
  }

  clear(): void {
    clearTimeout(this.restTimer);
    this.drawn.value = null;
    this.live.setBrush(null);
  }

  /** Make the marked part the range. */
  zoomIn(): void {
    const { brush } = this;
    this.drawn.value = null;
    if (brush) this.live.setRange({ kind: "between", ...brush });
  }

  /** Show twice as much time, around what is shown; until now, and live, where it reaches that far. */
  zoomOut(): void {
    const { from, to } = this.stretch;
    const half = (to - from) / 2;
    const now = this.live.feed.serverNow();
    const wider: Range = { kind: "between", from: Math.floor(from - half), to: to + half >= now ? null : Math.ceil(to + half) };
    this.live.setRange(wider);
  }

  toNow(): void {
    this.clear();
    if (this.live.feed.isPast) this.live.setRange(ANY);
  }

  /** The view changes. `isSame`: only the part that is listed, not what is counted. */
  change(isSame: boolean): void {
    this.isSame = isSame;
    this.live.feed.takesMinutes = this.isGiven;
    this.isStale.value = !isSame;
  }

  /** A snapshot is here: its minutes are the chart, or its chart is counted now. */
  snapshotCame(): void {
    const isSame = this.isSame;
    this.isSame = false;
    if (isSame) return;
    if (!this.isGiven) return void this.load();
    this.asked++;
    this.all.value = null;
    this.shows(true);
  }

  /** Count anew: what the chart shows and, under a filter, how many there are of all. */
  async load(isRecount = false): Promise<void> {
    const asked = ++this.asked;
    const { live } = this;
    const { from, to } = charted(live.range.value, live.feed.serverNow());
    const stepMs = stepOf({ from, to });
    const params: Record<string, string> = {
      query: live.query.value,
      step_s: String(stepMs / 1_000),
      since: String(Math.floor(from / stepMs) * stepMs),
      ...(this.isOver ? { until: String(to) } : {}),
    };
    try {
      const counted = await live.api.minutes(params);
      if (asked !== this.asked) return;
      const { bins } = live.feed;
      if (isRecount) bins.renew(counted.minutes, counted.step_s * 1_000, live.feed.serverNow());
      else bins.replace(counted.minutes, counted.step_s * 1_000);
      this.shows(counted.complete);
      this.all.value = null;
      if (live.query.value) this.loadAll(asked).catch(() => {}); // then it is said how many match, not of how many
      if (!live.boot.share) this.loadRest(asked, params, counted.next).catch(() => {}); // then the + stays
    } catch (error) {
      if (asked !== this.asked || isRecount) return; // what was counted before still stands
      live.feed.bins.replace([], stepMs);
      this.shows(true);
      live.fail(error);
    }
  }

  /** Count on where the server's time was up, as far as patience goes. */
  private async loadRest(asked: number, params: Record<string, string>, next: string | null | undefined): Promise<void> {
    for (let round = 0; next && round < MAX_ROUNDS; round++) {
      const more = await this.live.api.minutes({ ...params, before: next });
      if (asked !== this.asked) return;
      for (const [at, levels] of more.minutes) this.live.feed.bins.add(at, levels);
      this.shows(more.complete);
      next = more.next;
    }
  }

  private shows(isAll: boolean): void {
    batch(() => {
      this.counted.value = this.live.range.value;
      this.isCut.value = !isAll;
      this.isStale.value = false;
    });
    this.live.connection.paintSoon();
  }

  /** Whether the snapshot's minutes are all that is needed. */
  private get isGiven(): boolean {
    const { range, query, boot } = this.live;
    const isHour = range.value.kind === "any" || (range.value.kind === "last" && range.value.ms === SNAPSHOT_MS);
    return isHour && query.value === "" && !boot.share;
  }

  /** Called every second. */
  tick(second: number): void {
    const { live } = this;
    if (document.hidden || live.link.value.phase !== "live") return;
    if (this.isOver) return;
    if (live.query.value === "" && !live.boot.share && second % RECOUNT_S === FIRST_RECOUNT_S) void this.load(true);
    if (this.all.value !== null && second % RECOUNT_ALL_S === 0) void this.loadAll(this.asked).catch(() => {});
  }

  /** The range ended before now: nothing is added to it any more. */
  private get isOver(): boolean {
    const { value } = this.live.range;
    return value.kind === "between" && value.to !== null;
  }

  private async loadAll(asked: number): Promise<void> {
    const { from, to } = this.stretch;
    const { minutes, complete } = await this.live.api.minutes({ since: String(Math.floor(from)), until: String(Math.ceil(to)), step_s: String(Math.max(MINUTE_MS, stepOf({ from, to })) / 1_000) });
    if (asked === this.asked) this.all.value = complete ? totalOf(sum(minutes)) : null;
  }
}
