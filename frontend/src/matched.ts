/** The issues of the errors that match a filter: as the server counted them, and what came since. */

import { times, type Item } from "./item";
import type { Issue } from "./wire";

export interface Matched {
  /** What was asked: another filter's answer is of no use. */
  question: string;
  /** When the server counted, by its clock; rows up to then are in its counts. */
  at: number;
  issues: readonly Issue[];
  /** How far back it came, where it did not come to the end. */
  reachedAt: number | null;
}

/** `known` says what members said of an issue; without an answer the rows alone are counted. */
export function matchedIssues(matched: Matched | null, items: Iterable<Item>, known: ReadonlyMap<string, Issue>): Issue[] {
  const found = new Map(matched?.issues.map((issue) => [issue.id, { ...issue, ...said(known.get(issue.id)) }]));
  for (const item of items) {
    if (item.kind !== "error" || (matched && item.row.at <= matched.at)) continue;
    const { row, folded } = item;
    const issue = found.get(row.issue);
    const repeats = matched ? item.folded.filter(({ at }) => at <= matched.at).length : 0;
    found.set(row.issue, {
      status: "open",
      regressed_at: null,
      ...known.get(row.issue),
      id: row.issue,
      title: row.title,
      type: row.type,
      level: row.level,
      where: row.where,
      first_seen_at: issue?.first_seen_at ?? folded[0]?.at ?? row.at,
      last_seen_at: Math.max(row.at, issue?.last_seen_at ?? 0),
      count: (issue?.count ?? 0) + times(item) - repeats,
    });
  }
  return [...found.values()];
}

/** Of an issue that the stream told of, what became of it: its own counts are the whole stack's. */
function said(issue: Issue | undefined): Partial<Issue> {
  if (!issue) return {};
  const { count: _count, first_seen_at: _first, last_seen_at: _last, ...rest } = issue;
  return rest;
}
