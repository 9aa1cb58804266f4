/**
 * What the page knows: the rows of one view and everything that is told beside them. Fed with the
 * server's messages; draws nothing and asks for nothing.
 */

import { Bins, Rate } from "./counters";
import { Markers } from "./markers";
import type { Span } from "./range";
import { Rows } from "./rows";
import type { Company } from "./presence";
import type { Trends } from "./trends";
import type { Counts, Fill, Frame, Hello, Issue, LogMessage, Marker, Page, Pin, Row, ServerMessage, Snapshot } from "./wire";

/** How many errors a snapshot is asked for. */
export const SNAPSHOT_ROWS = 200;
/** Above this many errors a second repeats of one issue that touch become one row. */
export const STORM_PER_S = 20;
const MAX_LOGS = 10;
const LOG_LIFE_MS = 3_600_000;

/** Something worth a sentence: after a reconnect, or when something was lost. */
export type Note = { kind: "caught-up"; count: number; missed: number } | { kind: "gap" };

export class Feed {
  readonly rows: Rows;
  readonly rate = new Rate();
  readonly bins = new Bins();
  readonly issues = new Map<string, Issue>();
  readonly markers = new Markers();
  /** Counted on as errors come, once somebody looks at them. */
  trends: Trends | null = null;
  logs: LogMessage[] = [];

  /** What the list shows. With an end it is history: what arrives is told of, but not listed. */
  span: Span = { since: null, until: null };
  /** A snapshot's minutes are what the chart shows; else it brings its own. */
  takesMinutes = true;
  epoch = 0;
  cursor = "";
  /** A snapshot has been seen, so an empty list means there is nothing. */
  ready = false;
  company: Company = { viewers: 0, members: [], links: [] };
  /** Pinned for everybody, the newest first. */
  pins: Pin[] = [];
  lagMs = 0;
  /** All errors told of since the page opened. */
  total = 0;
  /** Server clock minus page clock. */
  private skewMs = 0;

  constructor(private readonly now: () => number) {
    this.rows = new Rows(now, () => this.isStorm);
  }

  get isStorm(): boolean {
    return this.rate.perSecond(this.now()) > STORM_PER_S;
  }

  serverNow(): number {
    return this.now() + this.skewMs;
  }

  /** Log messages alive now: at most 10, none older than an hour by the server's clock. */
  livingLogs(): LogMessage[] {
    const since = this.serverNow() - LOG_LIFE_MS;
    return this.logs.filter((message) => message.at > since);
  }

  get isPast(): boolean {
    return this.span.until !== null;
  }

  /** Begin another query or span: what comes with an older epoch is no longer meant for this list. */
  restart(span: Span = this.span): number {
    this.span = span;
    this.epoch += 1;
    this.cursor = "";
    return this.epoch;
  }

  /** Show history: errors that were asked for, newest first. */
  showPast(page: Omit<Page, "type" | "epoch">): void {
    this.rows.clear();
    this.addPage(page);
    this.ready = true;
  }

  /** Older errors, newest first, to the end of the list. */
  addPage({ errors, complete, reached_at }: Omit<Page, "type" | "epoch">, bytes = 0): void {
    const { since } = this.span;
    this.rows.addOlder(errors, bytes, since);
    const isPassed = since !== null && (errors.at(-1)?.at ?? Infinity) < since;
    this.rows.complete = isPassed || complete;
    this.rows.reachedAt = reached_at;
    this.placeMarkers();
  }

  /** A range that moves with the clock lets go of what it leaves behind. */
  passTime(lengthMs: number): void {
    this.span = { since: this.serverNow() - lengthMs, until: null };
    this.rows.endAt(this.span.since!);
  }

  /** Take one message; `bytes` is the length of its text. */
  apply(message: ServerMessage, bytes: number): Note | null {
    if ("epoch" in message && message.epoch !== this.epoch) return null;
    switch (message.type) {
      case "hello":
        return this.applyHello(message);
      case "snapshot":
        return this.applySnapshot(message, each(bytes, message.errors));
      case "frame":
        return this.applyFrame(message, each(bytes, message.errors));
      case "page":
        return this.applyPage(message, each(bytes, message.errors));
      case "fill":
        return this.applyFill(message, each(bytes, message.errors));
      case "presence":
        this.company = message;
        break;
      case "pins":
        this.pins = message.pins;
    }
    return null;
  }

  private applyHello(hello: Hello): null {
    if (hello.viewers !== this.company.viewers) this.company = { viewers: hello.viewers, members: [], links: [] };
    this.skewMs = hello.server_time - this.now();
    return null;
  }

  private applySnapshot(snapshot: Snapshot, bytes: number): Note | null {
    const returns = this.ready && this.cursor !== "" && !this.isPast;
    const before = this.rows.kept;
    const hasGap = !this.isPast && (returns ? this.catchUp(snapshot, bytes) : this.begin(snapshot, bytes));
    const count = this.rows.kept - before;
    this.rows.trim();
    if (this.takesMinutes) this.bins.replace(snapshot.minutes);
    this.issues.clear();
    for (const issue of snapshot.issues) this.issues.set(issue.id, issue);
    this.markers.replace(snapshot.markers);
    this.placeMarkers();
    this.cursor = snapshot.cursor;
    this.ready = true;
    if (hasGap) return { kind: "gap" };
    return returns ? { kind: "caught-up", count, missed: 0 } : null;
  }

  private begin(snapshot: Snapshot, bytes: number): boolean {
    const { errors } = snapshot;
    const since = this.span.since ?? 0;
    this.rows.clear();
    for (const row of errors.toReversed()) if (row.at >= since) this.rows.add(row, bytes);
    this.rows.complete = (errors.at(-1)?.at ?? Infinity) < since || (snapshot.complete && errors.length < SNAPSHOT_ROWS);
    this.rows.reachedAt = snapshot.reached_at;
    this.logs = snapshot.logs;
    return false;
  }

  /** After a reconnect: what was missed, or a fresh snapshot; what neither bridges stays a gap. */
  private catchUp(snapshot: Snapshot, bytes: number): boolean {
    const { errors } = snapshot;
    const bridges = !snapshot.recovered && errors.some((row) => this.rows.find(row.id));
    const hasGap = !snapshot.recovered && !bridges && this.rows.kept > 0 && errors.length > 0;
    if (hasGap) this.rows.addGap(this.cursor, snapshot.cursor, null);
    if (bridges) this.rows.bridge(errors, bytes);
    else for (const row of errors.toReversed()) this.rows.add(row, bytes);
    if (snapshot.recovered) this.addLogs(snapshot.logs);
    else this.logs = snapshot.logs;
    return hasGap;
  }

  private applyFrame(frame: Frame, bytes: number): Note | null {
    const { skipped } = frame;
    const doubles = frame.errors.filter((row) => !row.change && this.rows.find(row.id));
    const counts = withoutDoubles(frame.counts, doubles);
    this.countTrends(frame, doubles);
    this.rate.add(this.now(), counts.total);
    this.bins.add(this.serverNow(), counts.levels);
    this.total += counts.total;
    this.lagMs = frame.lag_ms;
    if (!this.isPast) this.list(frame, counts, bytes);
    for (const issue of frame.issues) this.issues.set(issue.id, issue);
    for (const marker of frame.markers) this.mark(marker);
    this.addLogs(frame.logs);
    if (frame.cursor) this.cursor = frame.cursor;
    return skipped > 0 && !this.isPast ? { kind: "gap" } : null;
  }

  private list(frame: Frame, counts: Counts, bytes: number): void {
    if (frame.skipped > 0) this.rows.addGap(this.cursor, frame.cursor, frame.skipped);
    for (const row of frame.errors) this.rows.add(row, bytes);
    this.rows.addFolded(counts.folded);
    for (const refused of frame.refused) this.rows.addRefused(refused);
    this.rows.addWaiting(counts);
    this.rows.trim();
  }

  private applyPage(page: Page, bytes: number): null {
    this.addPage(page, bytes);
    return null;
  }

  private applyFill(fill: Fill, bytes: number): null {
    const gap = this.rows.gap(fill.from, fill.to);
    if (gap) this.rows.fill(gap, fill.errors, fill.complete, bytes);
    if (gap) this.placeMarkers();
    this.addLogs(fill.logs);
    return null;
  }

  private mark(marker: Marker): void {
    const isKnown = this.markers.all.some(({ id }) => id === marker.id);
    this.markers.apply(marker);
    if (marker.removed) this.rows.dropMarker(marker.id);
    else if (!this.isPast && !isKnown) this.rows.addMarker(marker);
  }

  private placeMarkers(): void {
    const { since, until } = this.span;
    this.rows.placeMarkers(this.markers.between(since ?? 0, until ?? Infinity));
  }

  private countTrends({ errors, counts }: Frame, doubles: readonly Row[]): void {
    const { trends } = this;
    if (!trends) return;
    for (const row of errors) if (!row.change && !doubles.includes(row)) trends.add(row.issue, row.at, 1);
    for (const [issue, count] of Object.entries(counts.folded)) trends.add(issue, this.serverNow(), count);
  }

  private addLogs(messages: LogMessage[]): void {
    const known = new Set(this.logs.map((message) => message.id));
    const fresh = messages.filter((message) => !known.has(message.id));
    if (fresh.length === 0) return;
    this.logs = [...this.logs, ...fresh].sort((a, b) => a.at - b.at).slice(-MAX_LOGS);
  }
}

/** A message's bytes shared out over its errors. */
function each(bytes: number, errors: readonly unknown[]): number {
  return bytes / Math.max(1, errors.length);
}

/** What a frame counts, without errors that the snapshot before it has counted already. */
function withoutDoubles(counts: Counts, doubles: Row[]): Counts {
  if (doubles.length === 0) return counts;
  const levels = { ...counts.levels };
  for (const { level } of doubles) levels[level] = (levels[level] ?? 0) - 1;
  return { ...counts, levels, total: counts.total - doubles.length };
}
