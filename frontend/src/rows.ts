/**
 * The rows that are kept, in the stream's order: bounded, without doubles, repeats folded in a
 * storm, what comes while paused held back, what is missing marked by a gap.
 */

import type { ErrorItem, GapItem, Item, MarkerItem } from "./item";
import type { Counts, Marker, Row } from "./wire";

export const MAX_ROWS = 10_000;
/** Row bytes as the wire counted them; a quarter is kept back for what waits while paused. */
export const MAX_SHOWN_BYTES = 24 * 1024 * 1024;
export const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** How far back among the newest rows a repeat that was only counted finds its row. */
const FOLD_REACH = 200;

/** What a list holds. */
interface Load {
  rows: number;
  bytes: number;
}

export class Rows {
  /** Shown, oldest first: the newest is the last. */
  items: Item[] = [];
  /** Arrived while paused, oldest first. */
  waiting: Item[] = [];
  waitingCount = 0;
  waitingSevere = 0;
  paused = false;
  /** The list reaches back to the first error there is, or history was searched back to here. */
  complete = false;
  reachedAt: number | null = null;

  private readonly byId = new Map<string, ErrorItem>();
  private shownLoad: Load = { rows: 0, bytes: 0 };
  private waitingLoad: Load = { rows: 0, bytes: 0 };
  private overflowed = false;
  private nextKey = 1;

  /** `folds`: whether repeats of one issue that touch become one row now. */
  constructor(
    private readonly now: () => number,
    private readonly folds: () => boolean,
  ) {}

  /** Rows kept, folded and waiting ones included. */
  get kept(): number {
    return this.shownLoad.rows + this.waitingLoad.rows;
  }

  /** No older errors fit below the list. */
  get isFull(): boolean {
    return this.shownLoad.rows >= MAX_ROWS || this.shownLoad.bytes >= MAX_SHOWN_BYTES;
  }

  find(id: string): ErrorItem | undefined {
    return this.byId.get(id);
  }

  /** The gap between two cursors, wherever it stands. */
  gap(from: string, to: string): GapItem | undefined {
    const isIt = (item: Item): item is GapItem => item.kind === "gap" && item.from === from && item.to === to;
    return this.items.find(isIt) ?? this.waiting.find(isIt);
  }

  /** Where history goes on below the list: before its oldest error, or before what was searched. */
  oldest(): [at: number, id: string] | null {
    if (this.reachedAt !== null) return [this.reachedAt, "f".repeat(24)];
    const item = this.items.find((each) => each.kind === "error");
    const row = item && (item.folded[0] ?? item.row);
    return row ? [row.at, row.id] : null;
  }

  pause(): void {
    this.paused = true;
  }

  /** Show what waited. What was shown goes when more came meanwhile than is kept. */
  resume(): void {
    this.paused = false;
    if (this.overflowed) this.forgetShown();
    for (const item of this.waiting) this.items.push(item);
    this.shownLoad.rows += this.waitingLoad.rows;
    this.shownLoad.bytes += this.waitingLoad.bytes;
    this.clearWaiting();
    this.trim();
  }

  /** Add the newest error, or change the one that is already known. */
  add(row: Row, bytes: number): void {
    const known = this.byId.get(row.id);
    if (known) return change(known, row);
    const list = this.target;
    const last = list.at(-1);
    if (last?.kind === "error" && last.row.issue === row.issue && this.folds()) this.fold(last, row, bytes);
    else list.push(this.item(row, bytes));
    this.load(list, 1, bytes);
  }

  /** Count errors that were not sent onto the rows of their issues. */
  addFolded(folded: Record<string, number>): void {
    for (const [issue, count] of Object.entries(folded)) {
      const item = newestOf(this.target, issue);
      if (!item) continue;
      item.unsent += count;
      item.newestMs = this.now();
    }
  }

  /** Count what comes while nothing is shown of it. */
  addWaiting({ total, levels }: Counts): void {
    if (!this.paused) return;
    this.waitingCount += total;
    this.waitingSevere += (levels.error ?? 0) + (levels.fatal ?? 0);
  }

  addRefused(refused: { reason: string; count: number; at: number }): void {
    const last = this.target.at(-1);
    if (last?.kind === "refused" && last.reason === refused.reason) {
      last.count += refused.count;
      last.at = refused.at;
    } else {
      this.target.push({ kind: "refused", key: this.nextKey++, ...refused });
    }
  }

  /** A marker that was set just now. */
  addMarker(marker: Marker): void {
    this.target.push(this.markerItem(marker));
  }

  /** Take a marker out, or all of them. */
  dropMarker(id?: string): void {
    const others = (item: Item) => item.kind !== "marker" || (id !== undefined && item.marker.id !== id);
    this.items = this.items.filter(others);
    this.waiting = this.waiting.filter(others);
  }

  /** Put markers, oldest first, to their places by time, as far back as the list reaches. */
  placeMarkers(markers: readonly Marker[]): void {
    this.dropMarker();
    const oldest = this.items.find((item) => item.kind === "error");
    const floor = this.complete ? 0 : oldest ? (oldest.folded[0] ?? oldest.row).at : Infinity;
    const wait = this.waiting.find((item) => item.kind === "error")?.row.at ?? Infinity;
    for (const marker of markers) {
      if (marker.at < floor) continue;
      const list = marker.at >= wait ? this.waiting : this.items;
      const at = list.findLastIndex((item) => item.kind !== "gap" && atOf(item) <= marker.at);
      list.splice(at + 1, 0, this.markerItem(marker));
    }
  }

  /** Errors are missing here: a gap before what follows, or a longer one. `count` null: unknown. */
  addGap(from: string, to: string, count: number | null): void {
    const last = this.target.at(-1);
    if (count !== null && last?.kind === "gap" && last.state === "open" && last.to === from) {
      last.to = to;
      last.count = (last.count ?? 0) + count;
    } else {
      this.target.push({ kind: "gap", key: this.nextKey++, from, to, count, state: "open" });
    }
  }

  /** Put older errors, newest first, below the list; none from before `since`. */
  addOlder(newestFirst: readonly Row[], bytes: number, since: number | null = null): void {
    this.items.unshift(...this.fresh(newestFirst.filter((row) => row.at >= (since ?? 0)), bytes, this.items));
  }

  /** Keep what passes, until the server's answer takes its place; repeats go with their newest. */
  keepOnly(passes: (row: Row) => boolean): void {
    this.items = this.items.filter((item) => {
      if (item.kind === "error" && passes(item.row)) return true;
      if (item.kind === "error") this.unload(item, this.shownLoad);
      return false;
    });
  }

  /** Let go of what is older than the range that is shown; a gap stays with what follows it. */
  endAt(since: number): void {
    if (this.paused) return;
    const stays = this.items.findIndex((item) => item.kind !== "gap" && atOf(item) >= since);
    const old = this.items.splice(0, stays < 0 ? this.items.length : Math.max(0, this.items[stays - 1]?.kind === "gap" ? stays - 1 : stays));
    for (const item of old) if (item.kind === "error") this.unload(item, this.shownLoad);
  }

  /**
   * Take in a fresh snapshot that overlaps what is known. What is new is not always newest: errors
   * that were counted only come to their place by time, those older than the list stay out.
   */
  bridge(newestFirst: readonly Row[], bytes: number): void {
    const newest = newestFirst.findIndex((row) => this.byId.has(row.id));
    for (const row of newestFirst.slice(newest).reverse()) this.insert(row, bytes);
    for (const row of newestFirst.slice(0, newest).reverse()) this.add(row, bytes);
  }

  /** Put errors found for a gap, newest first, in its place; it stays when there are more. */
  fill(gap: GapItem, newestFirst: readonly Row[], complete: boolean, bytes: number): void {
    const list = this.listOf(gap);
    const at = list.indexOf(gap);
    if (at < 0) return;
    const items = this.fresh(newestFirst, bytes, list);
    gap.state = "partial";
    list.splice(at, 1, ...(complete ? items : [gap, ...items]));
  }

  /** The errors right below and above a gap. */
  around(gap: GapItem): [older: Row | undefined, newer: Row | undefined] {
    const list = this.listOf(gap);
    const at = list.indexOf(gap);
    const older = list.slice(0, at).findLast((item) => item.kind === "error");
    const newer = list.slice(at + 1).find((item) => item.kind === "error");
    return [older?.row, newer && (newer.folded[0] ?? newer.row)];
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

  /** Forget the oldest beyond the bounds. What someone reads while paused stays. */
  trim(): void {
    this.overflowed ||= this.drop(this.waiting, this.waitingLoad, MAX_WAITING_BYTES);
    if (!this.paused && this.drop(this.items, this.shownLoad, MAX_SHOWN_BYTES)) this.forgetEnd();
  }

  clear(): void {
    this.byId.clear();
    this.items = [];
    this.shownLoad = { rows: 0, bytes: 0 };
    this.clearWaiting();
  }

  private get target(): Item[] {
    return this.paused ? this.waiting : this.items;
  }

  private listOf(item: Item): Item[] {
    return this.items.includes(item) ? this.items : this.waiting;
  }

  private load(list: Item[], rows: number, bytes: number): void {
    const load = list === this.waiting ? this.waitingLoad : this.shownLoad;
    load.rows += rows;
    load.bytes += bytes;
  }

  private item(row: Row, bytes: number, unsent = 0): ErrorItem {
    const now = this.now();
    const key = this.nextKey++;
    const item: ErrorItem = { kind: "error", key, row, folded: [], unsent, bytes, newestMs: now, firstMs: now };
    this.byId.set(row.id, item);
    return item;
  }

  /** Items, oldest first, of the errors that are not known yet; they are counted to `list`. */
  private fresh(newestFirst: readonly Row[], bytes: number, list: Item[]): ErrorItem[] {
    const rows = newestFirst.filter((row) => !this.byId.has(row.id)).reverse();
    this.load(list, rows.length, rows.length * bytes);
    return rows.map((row) => this.item(row, bytes));
  }

  private markerItem(marker: Marker): MarkerItem {
    return { kind: "marker", key: this.nextKey++, marker };
  }

  private fold(item: ErrorItem, row: Row, bytes: number): void {
    item.folded.push(item.row);
    item.row = row;
    item.bytes += bytes;
    item.newestMs = this.now();
    this.byId.set(row.id, item);
  }

  private insert(row: Row, bytes: number): void {
    if (this.byId.has(row.id)) return;
    const list = this.waiting.length > 0 ? this.waiting : this.items;
    const at = list.findLastIndex((item) => item.kind === "error" && item.row.at <= row.at);
    if (at < 0) return;
    const counted = newestOf(list, row.issue);
    if (counted && counted.unsent > 0) counted.unsent -= 1;
    list.splice(at + 1, 0, this.item(row, bytes));
    this.load(list, 1, bytes);
  }

  /** Take the oldest from a list until it is within its bounds; whether any was. */
  private drop(list: Item[], load: Load, maxBytes: number): boolean {
    let count = 0;
    let isCut = false;
    while (count < list.length - 1 && (load.rows > MAX_ROWS || load.bytes > maxBytes)) {
      const item = list[count++]!;
      if (item.kind !== "error") continue;
      this.unload(item, load);
      isCut = true;
    }
    if (count > 0) list.splice(0, count);
    return isCut;
  }

  private unload(item: ErrorItem, load: Load): void {
    load.rows -= 1 + item.folded.length;
    load.bytes -= item.bytes;
    this.forget(item);
  }

  private forget(item: ErrorItem): void {
    this.byId.delete(item.row.id);
    for (const row of item.folded) this.byId.delete(row.id);
  }

  private forgetShown(): void {
    for (const item of this.items) if (item.kind === "error") this.forget(item);
    this.items = [];
    this.shownLoad = { rows: 0, bytes: 0 };
    this.forgetEnd();
  }

  /** The oldest rows went: history goes on where the list now ends. */
  private forgetEnd(): void {
    this.complete = false;
    this.reachedAt = null;
  }

  private clearWaiting(): void {
    this.waiting = [];
    this.waitingCount = this.waitingSevere = 0;
    this.waitingLoad = { rows: 0, bytes: 0 };
    this.overflowed = false;
  }
}

function change(item: ErrorItem, row: Row): void {
  if (!row.change) return;
  if (item.row.id === row.id) item.row = row;
  else item.folded = item.folded.map((held) => (held.id === row.id ? row : held));
}

function atOf(item: Exclude<Item, GapItem>): number {
  return item.kind === "error" ? item.row.at : item.kind === "marker" ? item.marker.at : item.at;
}

function newestOf(list: readonly Item[], issue: string): ErrorItem | undefined {
  const floor = Math.max(0, list.length - FOLD_REACH);
  for (let at = list.length - 1; at >= floor; at--) {
    const item = list[at];
    if (item?.kind === "error" && item.row.issue === issue) return item;
  }
  return undefined;
}
