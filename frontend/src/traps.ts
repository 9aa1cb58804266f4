/**
 * Traps: what a person wants to be told of once, and the opt-in for issues seen for the first time.
 * Pure: kept as text in a store, fed with what the server tells, asked each second; it says what to
 * ring for, each trap once.
 */

import type { Row, TrapTold } from "./wire";

export const MAX_TRAPS = 7; // with the one for new issues the server takes 8
/** Issues seen for the first time are told of no more often. */
export const NEWS_EVERY_MS = 10_000;
export const NEWS = "new-issues";
const MAX_MINUTES = 24 * 60;

/** Times are the server's. `lastAt`: when it matched last, or was set. `minutes` only of quiet ones. */
export interface Trap {
  id: string;
  kind: "next" | "quiet";
  query: string;
  label: string;
  minutes: number;
  setAt: number;
  lastAt: number;
}

interface Kept {
  traps: Trap[];
  news: boolean;
  sound: boolean;
}

export interface Alarm {
  id: string;
  title: string;
  text: string;
  /** The error to open. */
  error: string | null;
}

/** Where traps are kept: `localStorage`, or a test's. */
export interface Store {
  read(): string | null;
  write(text: string): void;
}

export class TrapBook {
  traps: Trap[] = [];
  news = false;
  sound = false;
  private newsAt = -Infinity;
  private newsHeld = 0;

  constructor(private readonly store: Store) {
    this.load();
  }

  /** Take what is kept, which another tab may have changed. */
  load(): void {
    const kept = parse(this.store.read());
    this.traps = kept.traps;
    this.news = kept.news;
    this.sound = kept.sound;
  }

  get isEmpty(): boolean {
    return this.traps.length === 0 && !this.news;
  }

  /** Set a trap; false when there are too many. */
  add(trap: Trap): boolean {
    this.load();
    if (this.traps.length >= MAX_TRAPS) return false;
    this.traps.push(trap);
    this.save();
    return true;
  }

  remove(id: string): void {
    this.take(id);
  }

  choose(change: Partial<Pick<Kept, "news" | "sound">>): void {
    this.load();
    Object.assign(this, change);
    this.save();
  }

  /** What the server is asked for. */
  asked(): { id: string; query: string; since?: number }[] {
    const traps: { id: string; query: string; since?: number }[] = this.traps.map(({ id, query, lastAt }) => ({ id, query, since: lastAt }));
    return this.news ? [...traps, { id: NEWS, query: "_new:issue" }] : traps;
  }

  /** The server tells of a match: what to ring for, if anything. `now` is this page's clock. */
  heard(told: TrapTold, now: number): Alarm | null {
    const { error } = told;
    if (!error) return null;
    if (told.id === NEWS) return this.news ? this.newIssue(error, told.count, now) : null;
    const trap = this.traps.find(({ id }) => id === told.id);
    if (!trap || error.at <= trap.lastAt) return null;
    if (trap.kind === "next") {
      return { id: trap.id, title: `It happened: ${trap.label}`, text: words(error), error: error.id };
    }
    trap.lastAt = error.at;
    this.save();
    return null;
  }

  /** Quiet traps whose time is over at `serverNow`; to be asked only while the stream is whole. */
  quiet(serverNow: number): Alarm[] {
    return this.traps
      .filter((trap) => trap.kind === "quiet" && serverNow - trap.lastAt >= trap.minutes * 60_000)
      .map((trap) => ({ id: trap.id, title: `Quiet for ${minutes(trap.minutes)}: ${trap.label}`, text: "Nothing has matched since.", error: null }));
  }

  /** Take a trap away as it springs; false when another tab was first. */
  take(id: string): boolean {
    this.load();
    const had = this.traps.length;
    this.traps = this.traps.filter((trap) => trap.id !== id);
    if (this.traps.length === had) return false;
    this.save();
    return true;
  }

  private newIssue(error: Row, count: number, now: number): Alarm | null {
    this.newsHeld += count;
    if (now - this.newsAt < NEWS_EVERY_MS) return null;
    const more = this.newsHeld - 1;
    this.newsAt = now;
    this.newsHeld = 0;
    const title = more > 0 ? `New issue, and ${more} more` : "New issue";
    return { id: NEWS, title, text: words(error), error: error.id };
  }

  private save(): void {
    const { traps, news, sound } = this;
    this.store.write(JSON.stringify({ traps, news, sound }));
  }
}

/** `5 minutes` */
export function minutes(count: number): string {
  return `${count} minute${count === 1 ? "" : "s"}`;
}

/** From what a person typed; null when it is no number of minutes. */
export function readMinutes(text: string): number | null {
  const count = Number(text);
  return Number.isInteger(count) && count >= 1 && count <= MAX_MINUTES ? count : null;
}

function words({ type, title }: Row): string {
  const text = type && !title.includes(type) ? `${type}: ${title}` : title;
  return text.slice(0, 200);
}

function parse(text: string | null): Kept {
  const nothing: Kept = { traps: [], news: false, sound: false };
  try {
    const found = JSON.parse(text ?? "null") as Partial<Kept> | null;
    if (!found || typeof found !== "object") return nothing;
    const traps = Array.isArray(found.traps) ? found.traps.filter(isTrap).slice(0, MAX_TRAPS) : [];
    return { traps, news: found.news === true, sound: found.sound === true };
  } catch {
    return nothing;
  }
}

function isTrap(value: unknown): value is Trap {
  const it = value as Trap | null;
  const numbers = [it?.minutes, it?.setAt, it?.lastAt];
  const texts = [it?.id, it?.query, it?.label];
  const isKind = it?.kind === "next" || it?.kind === "quiet";
  return isKind && numbers.every(Number.isFinite) && texts.every((text) => typeof text === "string");
}
