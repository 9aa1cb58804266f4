/**
 * What the page knows: the newest errors of one view, in the stream's order, with everything
 * that is told beside them. Fed with the server's messages; draws nothing and asks for nothing.
 */

import type { Fill, Frame, Hello, Issue, Level, LogMessage, Page, Row, ServerMessage, Snapshot } from "./wire";
import { Minutes, Rate } from "./counters";

export const MAX_ROWS = 10_000;
/** How many errors a snapshot is asked for. */
export const SNAPSHOT_ROWS = 200;
/** Row bytes as the wire counted them; a quarter is kept back for what waits while paused. */
export const MAX_SHOWN_BYTES = 24 * 1024 * 1024;
export const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** Above this many errors a second repeats of one issue that touch become one row. */
export const STORM_PER_S = 20;
/** How far back among the newest rows a repeat that was only counted finds its row. */
const FOLD_REACH = 200;
const MAX_LOGS = 10;
const LOG_LIFE_MS = 3_600_000;

/** One row of the list: an error and, folded under it, older repeats of its issue. */
export interface ErrorItem {
  kind: "error";
  key: number;
  row: Row;
  /** Repeats held below the newest, newest last. */
  folded: Row[];
  /** Repeats that were counted, never sent. */
  unsent: number;
  bytes: number;
  /** When the page got the newest and the first of them; the row's own rate follows. */
  newestMs: number;
  firstMs: number;
}

/** Errors between two known ones that the page does not have. `count` null: unknown. */
export interface GapItem {
  kind: "gap";
  key: number;
  from: string;
  to: string;
  count: number | null;
  state: "open" | "loading" | "partial";
}

export interface RefusedItem {
  kind: "refused";
  key: number;
  reason: string;
  count: number;
  at: number;
}

export type Item = ErrorItem | GapItem | RefusedItem;

/** Something worth a sentence: after a reconnect, or when something was lost. */
export type Note = { kind: "caught-up"; count: number; missed: number } | { kind: "gap" };

export class Feed {
  /** Shown, oldest first: the newest is the last. */
  items: Item[] = [];
  /** Arrived while paused, oldest first. */
  waiting: Item[] = [];
  waitingCount = 0;
  waitingSevere = 0;
  paused = false;

  epoch = 0;
  cursor = "";
  /** A snapshot has been seen, so an empty list means there is nothing. */
  ready = false;
  /** The list reaches back to the first error there is. */
  complete = false;
  reachedAt: number | null = null;
  viewers = 0;
  version = "";
  lagMs = 0;
  /** Server clock minus page clock. */
  skewMs = 0;
  /** All errors told of since the page opened, and how the newest second goes. */
  total = 0;
  readonly rate = new Rate();
  readonly minutes = new Minutes();
  readonly issues = new Map<string, Issue>();
  logs: LogMessage[] = [];

  private readonly byId = new Map<string, ErrorItem>();
  private rows = 0;
  private bytes = 0;
  private waitingBytes = 0;
  private waitingRows = 0;
  private overflowed = false;
  private nextKey = 1;

  constructor(private readonly now: () => number) {}

  /** Rows kept, folded and waiting ones included. */
  get kept(): number {
    return this.rows + this.waitingRows;
  }

  /** No older errors fit below the list. */
  get isFull(): boolean {
    return this.rows >= MAX_ROWS || this.bytes >= MAX_SHOWN_BYTES;
  }

  get isStorm(): boolean {
    return this.rate.perSecond(this.now()) > STORM_PER_S;
  }

  serverNow(): number {
    return this.now() + this.skewMs;
  }

  find(id: string): ErrorItem | undefined {
    return this.byId.get(id);
  }

  /** Begin another query: what comes with an older epoch is no longer meant for this list. */
  restart(): number {
    this.epoch += 1;
    this.cursor = "";
    return this.epoch;
  }

  /** Take one message; `bytes` is the length of its text. */
  apply(message: ServerMessage, bytes: number): Note | null {
    if ("epoch" in message && message.epoch !== this.epoch) return null;
    switch (message.type) {
      case "hello":
        return this.greet(message);
      case "snapshot":
        return this.applySnapshot(message, bytes);
      case "frame":
        return this.applyFrame(message, bytes);
      case "page":
        return this.applyPage(message, bytes);
      case "fill":
        return this.applyFill(message, bytes);
      case "presence":
        this.viewers = message.viewers;
    }
    return null;
  }

  pause(): void {
    this.paused = true;
  }

  /** Show what waited. What was shown goes when more came meanwhile than is kept. */
  resume(): void {
    this.paused = false;
    if (this.overflowed) this.forgetShown();
    for (const item of this.waiting) this.items.push(item);
    this.rows += this.waitingRows;
    this.bytes += this.waitingBytes;
    this.clearWaiting();
    this.trim();
  }

  /** Lay a folded row's repeats out again, each as its own row. */
  unfold(item: ErrorItem): void {
    const at = this.items.indexOf(item);
    if (at < 0 || item.folded.length === 0) return;
    const each = item.bytes / (item.folded.length + 1);
    const older = item.folded.map((row, index) => this.item(row, each, index === 0 ? item.unsent : 0));
    Object.assign(item, { folded: [], unsent: 0, bytes: each });
    this.items.splice(at, 0, ...older);
  }

  loading(gap: GapItem): void {
    gap.state = "loading";
  }

  /** Put errors found for a gap in its place; the gap stays when there are more. */
  close(gap: GapItem, errors: Row[], complete: boolean, bytes = 0): void {
    const list = this.items.includes(gap) ? this.items : this.waiting;
    const at = list.indexOf(gap);
    if (at < 0) return;
    const fresh = oldestFirst(errors).filter((row) => !this.byId.has(row.id));
    const items = fresh.map((row) => this.item(row, bytes / errors.length));
    this.count(list, items);
    gap.state = "partial";
    list.splice(at, 1, ...(complete ? items : [gap, ...items]));
  }

  /** The errors right below and above a gap. */
  around(gap: GapItem): [older: Row | undefined, newer: Row | undefined] {
    const list = this.items.includes(gap) ? this.items : this.waiting;
    const at = list.indexOf(gap);
    const older = list.slice(0, at).findLast((item) => item.kind === "error");
    const newer = list.slice(at + 1).find((item) => item.kind === "error");
    return [older?.row, newer && (newer.folded[0] ?? newer.row)];
  }

  /** Log messages alive now: at most 10, none older than an hour by the server's clock. */
  livingLogs(): LogMessage[] {
    const since = this.serverNow() - LOG_LIFE_MS;
    return this.logs.filter((message) => message.at > since);
  }

  private greet(hello: Hello): null {
    this.viewers = hello.viewers;
    this.version = hello.version;
    this.skewMs = hello.server_time - this.now();
    return null;
  }

  private applySnapshot(snapshot: Snapshot, bytes: number): Note | null {
    const had = this.ready && this.cursor !== "";
    const each = bytes / Math.max(1, snapshot.errors.length);
    const note = snapshot.recovered && had ? this.catchUp(snapshot, each) : this.begin(snapshot, each, had);
    this.minutes.replace(snapshot.minutes);
    this.issues.clear();
    for (const issue of snapshot.issues) this.issues.set(issue.id, issue);
    this.cursor = snapshot.cursor;
    this.ready = true;
    return note;
  }

  private catchUp(snapshot: Snapshot, each: number): Note {
    const before = this.byId.size;
    for (const row of oldestFirst(snapshot.errors)) this.add(row, each);
    this.addLogs(snapshot.logs);
    this.trim();
    return { kind: "caught-up", count: this.byId.size - before, missed: 0 };
  }

  /** A fresh snapshot; behind what a reconnect could not bridge stays a gap. */
  private begin(snapshot: Snapshot, each: number, had: boolean): Note | null {
    if (!had) this.forgetAll();
    const bridges = snapshot.errors.some((row) => this.byId.has(row.id));
    const isGap = had && !bridges && this.byId.size > 0 && snapshot.errors.length > 0;
    const before = this.byId.size;
    if (isGap) this.push(this.gap(snapshot.cursor, null));
    if (bridges) this.bridge(snapshot.errors, each);
    else for (const row of oldestFirst(snapshot.errors)) this.add(row, each);
    this.logs = [];
    this.addLogs(snapshot.logs);
    if (!had) {
      this.complete = snapshot.complete && snapshot.errors.length < SNAPSHOT_ROWS;
      this.reachedAt = snapshot.reached_at;
    }
    this.trim();
    if (isGap) return { kind: "gap" };
    return had ? { kind: "caught-up", count: this.byId.size - before, missed: 0 } : null;
  }

  /**
   * Take in a fresh snapshot that overlaps what is known. What is new is not always newest: errors
   * that were counted only come to their place by time, those older than the list stay out.
   */
  private bridge(newestFirst: Row[], bytes: number): void {
    const newest = newestFirst.findIndex((row) => this.byId.has(row.id));
    for (const row of oldestFirst(newestFirst.slice(newest))) this.insert(row, bytes);
    for (const row of oldestFirst(newestFirst.slice(0, newest))) this.add(row, bytes);
  }

  private insert(row: Row, bytes: number): void {
    if (this.byId.has(row.id)) return;
    const list = this.paused && this.waiting.length > 0 ? this.waiting : this.items;
    const at = list.findLastIndex((item) => item.kind === "error" && item.row.at <= row.at);
    if (at < 0) return;
    const counted = newestOf(list, row.issue);
    if (counted && counted.unsent > 0) counted.unsent -= 1;
    list.splice(at + 1, 0, this.item(row, bytes));
    this.count(list, [], 1, bytes);
  }

  private applyFrame(frame: Frame, bytes: number): Note | null {
    const { counts } = frame;
    const now = this.now();
    this.rate.add(now, counts.total);
    this.minutes.add(this.serverNow(), counts.levels);
    this.total += counts.total;
    this.lagMs = frame.lag_ms;
    if (frame.skipped > 0) this.lack(frame.skipped, frame.cursor);
    const each = bytes / Math.max(1, frame.errors.length);
    for (const row of frame.errors) this.add(row, each);
    this.addFolded(counts.folded);
    for (const refused of frame.refused) this.push({ kind: "refused", key: this.nextKey++, ...refused });
    for (const issue of frame.issues) this.issues.set(issue.id, issue);
    this.addLogs(frame.logs);
    if (frame.cursor) this.cursor = frame.cursor;
    if (this.paused) this.countWaiting(counts);
    this.trim();
    return frame.skipped > 0 ? { kind: "gap" } : null;
  }

  private countWaiting(counts: Frame["counts"]): void {
    this.waitingCount += counts.total;
    this.waitingSevere += (counts.levels.error ?? 0) + (counts.levels.fatal ?? 0);
  }

  private applyPage(page: Page, bytes: number): null {
    const fresh = oldestFirst(page.errors).filter((row) => !this.byId.has(row.id));
    const items = fresh.map((row) => this.item(row, bytes / page.errors.length));
    this.count(this.items, items);
    this.items.unshift(...items);
    this.complete = page.complete && page.errors.length === 0;
    this.reachedAt = page.reached_at;
    return null;
  }

  /** Where history goes on below the list: before its oldest error, or before what was searched. */
  oldest(): [at: number, id: string] | null {
    if (this.reachedAt !== null) return [this.reachedAt, "f".repeat(24)];
    const item = this.items.find((each): each is ErrorItem => each.kind === "error");
    const row = item && (item.folded[0] ?? item.row);
    return row ? [row.at, row.id] : null;
  }

  private applyFill(fill: Fill, bytes: number): null {
    const gap = [...this.items, ...this.waiting].find(
      (item): item is GapItem => item.kind === "gap" && item.from === fill.from && item.to === fill.to,
    );
    if (gap) this.close(gap, fill.errors, fill.complete, bytes);
    this.addLogs(fill.logs);
    return null;
  }

  /** Add the newest error, or change the one that is already known. */
  private add(row: Row, bytes: number): void {
    const known = this.byId.get(row.id);
    if (known) return this.change(known, row);
    const list = this.paused ? this.waiting : this.items;
    const last = list.at(-1);
    if (last?.kind === "error" && last.row.issue === row.issue && this.isStorm) {
      this.fold(last, row, bytes);
    } else {
      list.push(this.item(row, bytes));
    }
    this.count(list, [], 1, bytes);
  }

  private change(item: ErrorItem, row: Row): void {
    if (!row.change) return;
    if (item.row.id === row.id) item.row = row;
    else item.folded = item.folded.map((held) => (held.id === row.id ? row : held));
  }

  private fold(item: ErrorItem, row: Row, bytes: number): void {
    item.folded.push(item.row);
    item.row = row;
    item.bytes += bytes;
    item.newestMs = this.now();
    this.byId.set(row.id, item);
  }

  private addFolded(folded: Record<string, number>): void {
    const list = this.paused ? this.waiting : this.items;
    for (const [issue, count] of Object.entries(folded)) {
      const item = newestOf(list, issue);
      if (!item) continue;
      item.unsent += count;
      item.newestMs = this.now();
    }
  }

  private addLogs(messages: LogMessage[]): void {
    const known = new Set(this.logs.map((message) => message.id));
    const fresh = messages.filter((message) => !known.has(message.id));
    if (fresh.length === 0) return;
    this.logs = [...this.logs, ...fresh].sort((a, b) => a.at - b.at).slice(-MAX_LOGS);
  }

  private item(row: Row, bytes: number, unsent = 0): ErrorItem {
    const now = this.now();
    const item: ErrorItem = {
      kind: "error", key: this.nextKey++, row, folded: [], unsent, bytes, newestMs: now, firstMs: now,
    };
    this.byId.set(row.id, item);
    return item;
  }

  private gap(to: string, count: number | null): GapItem {
    return { kind: "gap", key: this.nextKey++, from: this.cursor, to, count, state: "open" };
  }

  /** Errors were counted, not sent: a gap before what follows, or a longer one. */
  private lack(count: number, to: string): void {
    const list = this.paused ? this.waiting : this.items;
    const last = list.at(-1);
    if (last?.kind === "gap" && last.state === "open" && last.to === this.cursor) {
      last.to = to;
      last.count = (last.count ?? 0) + count;
    } else {
      this.push(this.gap(to, count));
    }
  }

  private push(item: Item): void {
    const list = this.paused ? this.waiting : this.items;
    const last = list.at(-1);
    if (item.kind === "refused" && last?.kind === "refused" && last.reason === item.reason) {
      last.count += item.count;
      last.at = item.at;
    } else {
      list.push(item);
    }
  }

  private count(list: Item[], items: ErrorItem[], rows = items.length, bytes = sum(items)): void {
    if (list === this.waiting) {
      this.waitingRows += rows;
      this.waitingBytes += bytes;
    } else {
      this.rows += rows;
      this.bytes += bytes;
    }
  }

  private trim(): void {
    const cut = this.drop(this.waiting, this.waitingRows, this.waitingBytes, MAX_WAITING_BYTES);
    this.waitingRows -= cut.rows;
    this.waitingBytes -= cut.bytes;
    this.overflowed ||= cut.rows > 0;
    if (this.paused) return; // what someone reads stays where it is
    const old = this.drop(this.items, this.rows, this.bytes, MAX_SHOWN_BYTES);
    this.rows -= old.rows;
    this.bytes -= old.bytes;
    if (old.rows > 0) this.forgetEnd();
  }

  /** Take the oldest from a list until it is within its bounds. */
  private drop(list: Item[], rows: number, bytes: number, maxBytes: number): { rows: number; bytes: number } {
    const cut = { rows: 0, bytes: 0 };
    let count = 0;
    while (count < list.length - 1 && (rows - cut.rows > MAX_ROWS || bytes - cut.bytes > maxBytes)) {
      const item = list[count++]!;
      if (item.kind !== "error") continue;
      cut.rows += 1 + item.folded.length;
      cut.bytes += item.bytes;
      this.forget(item);
    }
    if (count > 0) list.splice(0, count);
    return cut;
  }

  private forget(item: ErrorItem): void {
    this.byId.delete(item.row.id);
    for (const row of item.folded) this.byId.delete(row.id);
  }

  private forgetShown(): void {
    for (const item of this.items) if (item.kind === "error") this.forget(item);
    this.items = [];
    this.rows = this.bytes = 0;
    this.forgetEnd();
  }

  /** The oldest rows went: history goes on where the list now ends. */
  private forgetEnd(): void {
    this.complete = false;
    this.reachedAt = null;
  }

  private forgetAll(): void {
    this.byId.clear();
    this.items = [];
    this.rows = this.bytes = 0;
    this.clearWaiting();
  }

  private clearWaiting(): void {
    this.waiting = [];
    this.waitingCount = this.waitingSevere = 0;
    this.waitingRows = this.waitingBytes = 0;
    this.overflowed = false;
  }
}

/** How many errors a row stands for. */
export function times(item: ErrorItem): number {
  return 1 + item.folded.length + item.unsent;
}

/** Repeats a second of a folded row, 0 when it has been quiet or is too young to tell. */
export function ticking(item: ErrorItem, now: number): number {
  const span = item.newestMs - item.firstMs;
  if (span < 1000 || now - item.newestMs > 2000) return 0;
  return (times(item) - 1) / (span / 1000);
}

export function isSevere(level: Level): boolean {
  return level === "error" || level === "fatal";
}

function newestOf(list: Item[], issue: string): ErrorItem | undefined {
  const floor = Math.max(0, list.length - FOLD_REACH);
  for (let at = list.length - 1; at >= floor; at--) {
    const item = list[at];
    if (item?.kind === "error" && item.row.issue === issue) return item;
  }
  return undefined;
}

function oldestFirst(newestFirst: Row[]): Row[] {
  return newestFirst.slice().reverse();
}

function sum(items: ErrorItem[]): number {
  return items.reduce((bytes, item) => bytes + item.bytes, 0);
}
