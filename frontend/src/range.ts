/** Ranges of time: what may be chosen, how they are written into an address, how a chart divides them. */

import { clock, day } from "./time";

const S = 1_000;
const MIN = 60 * S;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

/** `any`: as far back as there is something. `to` null: until now, and on. */
export type Range = { kind: "any" } | { kind: "last"; ms: number } | { kind: "between"; from: number; to: number | null };

/** Two moments, the second not included. */
export interface Stretch {
  from: number;
  to: number;
}

/** What a list shows; null: open on that side. With an end it is history, without one it is live. */
export interface Span {
  since: number | null;
  until: number | null;
}

export const ANY: Range = { kind: "any" };
export const USUAL: readonly (readonly [ms: number, words: string])[] = [
  [15 * MIN, "15 minutes"],
  [HOUR, "hour"],
  [6 * HOUR, "6 hours"],
  [DAY, "24 hours"],
  [7 * DAY, "7 days"],
];
/** The longest range of all: the server counts no longer ones. */
export const LONGEST_MS = 92 * DAY;
/** What the chart shows when no range is chosen. */
const CHARTED_MS = HOUR;
const MAX_BARS = 96;
const STEPS = [1, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800];

const LAST = /^([1-9]\d{0,3})([mhd])$/;
const UNITS: Record<string, number> = { m: MIN, h: HOUR, d: DAY };
const MOMENT = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:\.(\d{3}))?Z$/;

/** Read `range=1h`, or `from` and `to`; what makes no sense is any time. */
export function readRange(given: URLSearchParams): Range {
  const [, size, unit] = LAST.exec(given.get("range") ?? "") ?? [];
  if (size && unit) return { kind: "last", ms: Math.min(Number(size) * UNITS[unit]!, LONGEST_MS) };
  const from = readMoment(given.get("from") ?? "");
  const to = readMoment(given.get("to") ?? "");
  if (from === null || (to !== null && (to <= from || to - from > LONGEST_MS))) return ANY;
  return { kind: "between", from, to };
}

export function writeRange(range: Range, named: URLSearchParams): void {
  if (range.kind === "last") named.set("range", lastWord(range.ms));
  if (range.kind !== "between") return;
  named.set("from", writeMoment(range.from));
  if (range.to !== null) named.set("to", writeMoment(range.to));
}

/** Read `20261125T142905Z..20261125T143045Z`. */
export function readStretch(text: string): Stretch | null {
  const [from, to] = text.split("..").map(readMoment);
  return from != null && to != null && from < to ? { from, to } : null;
}

export function writeStretch({ from, to }: Stretch): string {
  return `${writeMoment(from)}..${writeMoment(to)}`;
}

function lastWord(ms: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, each]) => ms % each === 0) ?? ["m", MIN];
  return `${Math.round(ms / size)}${unit}`;
}

function readMoment(text: string): number | null {
  const found = MOMENT.exec(text);
  if (!found) return null;
  const [, year, month, date, hour, minute, second, ms = "000"] = found;
  const at = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(at) ? null : at;
}

function writeMoment(at: number): string {
  return new Date(at).toISOString().replace(/[-:]/g, "").replace(".000", "");
}

/** What the list shows of a range, or of the part of it that is marked. */
export function spanOf(range: Range, brush: Stretch | null, now: number): Span {
  if (brush) return { since: brush.from, until: brush.to };
  if (range.kind === "any") return { since: null, until: null };
  if (range.kind === "last") return { since: now - range.ms, until: null };
  return { since: range.from, until: range.to };
}

/** What the chart shows of a range. */
export function charted(range: Range, now: number): Stretch {
  if (range.kind === "between") return { from: range.from, to: range.to ?? Math.max(now, range.from + 1) };
  return { from: now - (range.kind === "last" ? range.ms : CHARTED_MS), to: now };
}

/** How long a bar is: the shortest round time that needs no more than 96 of them. */
export function stepOf({ from, to }: Stretch): number {
  const seconds = STEPS.find((step) => (to - from) / (step * S) <= MAX_BARS) ?? STEPS.at(-1)!;
  return seconds * S;
}

/** `Last hour`, `Last 90 minutes`, `Any time`, `14:00 – 15:00`. */
export function rangeWords(range: Range, now: number): string {
  if (range.kind === "any") return "Any time";
  if (range.kind === "last") return `Last ${lastWords(range.ms)}`;
  return range.to === null ? `Since ${moment(range.from, now)}` : stretchWords({ from: range.from, to: range.to }, now);
}

export function lastWords(ms: number): string {
  const usual = USUAL.find(([each]) => each === ms);
  if (usual) return usual[1];
  const [unit, word] = ms % DAY === 0 ? [DAY, "day"] : ms % HOUR === 0 ? [HOUR, "hour"] : [MIN, "minute"];
  const size = Math.round(ms / unit);
  return size === 1 ? word : `${size} ${word}s`;
}

/** `14:29:05 – 14:30:45`, with the day where it is not today. */
export function stretchWords({ from, to }: Stretch, now: number): string {
  const isFine = [from, to].some((at) => at % MIN !== 0);
  const isOneDay = day(from, to) === "";
  return `${moment(from, now, isFine)} – ${moment(to, isOneDay ? to : now, isFine)}`;
}

function moment(at: number, now: number, isFine = at % MIN !== 0): string {
  const date = day(at, now);
  return `${date ? `${date} ` : ""}${isFine ? clock(at) : clock(at).slice(0, 5)}`;
}
