/** Did that fix it? An issue before the newest marker and since, in words. */

import { span } from "./issues";
import { count } from "./text";
import type { Marker } from "./wire";

/** So many errors in so many seconds; not `complete`: at least so many. */
export interface Rate {
  count: number;
  seconds: number;
  complete: boolean;
}

export interface Fix {
  marker: Marker | null;
  before: Rate | null;
  after: Rate | null;
  last_seen_at: number;
  at: number;
}

/** What the page has learnt since it asked. */
export interface Since {
  /** Errors that came after the answer. */
  more: number;
  lastSeenAt: number;
  now: number;
}

export interface Verdict {
  /** `0 for 4 m 12 s`, `12 in 3 m 5 s, 4 per min`, or without a marker `quiet for 4 m 12 s`. */
  since: string;
  /** `before: 1 per s`; empty where there was no before. */
  before: string;
  /** Nothing came since the marker, and something came before. */
  isQuiet: boolean;
}

export function verdict(fix: Fix, { more, lastSeenAt, now }: Since): Verdict {
  const seen = Math.max(fix.last_seen_at, lastSeenAt);
  if (!fix.marker || !fix.after) return { since: `quiet for ${span(now - seen)}`, before: "", isQuiet: false };
  const passed = Math.max(0, now - fix.marker.at);
  const after = { ...fix.after, count: fix.after.count + more, seconds: passed / 1_000 };
  const before = fix.before ? `before: ${perTime(fix.before)}` : "before: not seen";
  if (after.count === 0) return { since: `0 for ${span(passed)}`, before, isQuiet: (fix.before?.count ?? 0) > 0 };
  const plus = after.complete ? "" : "+";
  return { since: `${count(after.count)}${plus} in ${span(passed)}, ${perTime(after)}`, before, isQuiet: false };
}

/** A rate with the unit in which it is a number one can say: `1.5 per s`, `12 per min`, `3 per h`. */
export function perTime({ count: errors, seconds, complete }: Rate): string {
  if (errors === 0) return "none";
  const each = errors / Math.max(1, seconds);
  const [rate, unit] = each >= 1 ? [each, "s"] : each * 60 >= 1 ? [each * 60, "min"] : [each * 3_600, "h"];
  return `${complete ? "" : "at least "}${rate < 10 ? Number(rate.toFixed(1)) : count(Math.round(rate))} per ${unit}`;
}
