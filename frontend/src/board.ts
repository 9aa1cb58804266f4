/** What a wallboard says, made of what the page knows. Pure. */

import { times, type Item } from "./item";
import type { Issue, Row } from "./wire";

export interface Top {
  issue: Pick<Issue, "id" | "type" | "title" | "level">;
  count: number;
}

/** Open issues with the most errors in the last hour; `trends` has what was counted of each. */
export function top(issues: Iterable<Issue>, trends: Record<string, number[]>, limit: number): Top[] {
  return [...issues]
    .map((issue) => ({ issue, count: (trends[issue.id] ?? []).reduce((all, count) => all + count, 0) }))
    .filter(({ issue, count }) => count > 0 && issue.status === "open")
    .sort((a, b) => b.count - a.count)
    .slice(0, limit);
}

/** The same of the rows that are here: where issues are not told of, or the list shows a part. */
export function topOfRows(items: readonly Item[], since: number, limit: number): Top[] {
  const found = new Map<string, Top>();
  for (const item of items) {
    if (item.kind !== "error" || item.row.at < since) continue;
    const { issue: id, type, title, level } = item.row;
    found.set(id, { issue: { id, type, title, level }, count: (found.get(id)?.count ?? 0) + times(item) });
  }
  return [...found.values()].sort((a, b) => b.count - a.count).slice(0, limit);
}

/** The newest errors, newest first. */
export function newest(items: readonly Item[], limit: number): { row: Row; count: number }[] {
  const found: { row: Row; count: number }[] = [];
  for (let at = items.length - 1; at >= 0 && found.length < limit; at--) {
    const item = items[at]!;
    if (item.kind === "error") found.push({ row: item.row, count: times(item) });
  }
  return found;
}
