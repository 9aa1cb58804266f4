/** Issues as they are listed: which, in what order, and what became of each in a word. */

import { count, plural } from "./text";
import type { Issue, Status } from "./wire";

export type Shown = Status | "all";
export type Sort = "last_seen" | "count";

/** An issue first seen within this time is new. */
export const NEW_MS = 3_600_000;

/** Those to show, the latest or the most first; merged ones are a part of another. */
export function arranged(issues: Iterable<Issue>, shown: Shown, sort: Sort): Issue[] {
  const wanted = [...issues].filter((issue) => !issue.into && (shown === "all" || issue.status === shown));
  const most = sort === "count" ? (a: Issue, b: Issue) => b.count - a.count : () => 0;
  return wanted.sort((a, b) => most(a, b) || b.last_seen_at - a.last_seen_at);
}

/** What became of an issue; `kind` is how loud it is said. */
export function badge(issue: Issue, now: number): { text: string; kind: "warn" | "new" | "dim" } | null {
  if (issue.status === "resolved") return { text: "resolved", kind: "dim" };
  if (issue.status === "ignored") return { text: `ignored${ignoredFor(issue, now)}`, kind: "dim" };
  if (issue.regressed_at) return { text: "regressed", kind: "warn" };
  if (issue.returned_at) return { text: "back", kind: "warn" };
  return now - issue.first_seen_at < NEW_MS ? { text: "new", kind: "new" } : null;
}

/** How long it stays ignored: ` for 2 h`, ` until 40 more`; nothing for ever. */
function ignoredFor({ until_at, until_count, count: seen }: Issue, now: number): string {
  const time = until_at ? ` for ${span(Math.max(0, until_at - now))}` : "";
  const more = until_count ? ` until ${count(Math.max(1, until_count - seen))} more` : "";
  return time && more ? `${time} or${more}` : time + more;
}

/** `37 users`, `100+ users`; empty where errors name none. */
export function users({ users: known = 0, more_users }: Issue): string {
  return known === 0 ? "" : more_users ? `${count(known)}+ users` : plural(known, "user");
}

/** A length of time with its two largest units: `4 m 12 s`, `2 d 3 h`. */
export function span(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([value]) => value > 0).map(([value, unit]) => `${value} ${unit}`).join(" ");
}
