import { describe, expect, it } from "vitest";
import type { ErrorItem } from "../src/item";
import { matchedIssues } from "../src/matched";
import type { Issue, Row } from "../src/wire";

const row = (issue: string, at: number): Row => ({ id: `${issue}${at}`, at, issue, level: "error", type: "", title: issue, where: "", fields: {} });
const item = (issue: string, at: number, folded: Row[] = [], unsent = 0): ErrorItem => ({
  kind: "error", key: at, row: row(issue, at), folded, unsent, bytes: 0, newestMs: 0, firstMs: 0,
});
const issue = (id: string, count: number, more: Partial<Issue> = {}): Issue => ({
  id, title: id, type: "", level: "error", where: "", first_seen_at: 1, last_seen_at: 50, count, status: "open", regressed_at: null, ...more,
});
const counts = (issues: Issue[]) => Object.fromEntries(issues.map(({ id, count }) => [id, count]));

describe("issues under a filter", () => {
  const matched = { question: "q", at: 100, issues: [issue("a", 5_000), issue("b", 2)], reachedAt: null };

  it("has the server's counts, and what came since on top", () => {
    const items = [item("a", 99), item("a", 101), item("c", 102, [row("c", 101)], 3)];
    expect(counts(matchedIssues(matched, items, new Map()))).toEqual({ a: 5_001, b: 2, c: 5 });
  });

  it("does not count again a repeat that was folded under a newer one", () => {
    const items = [item("b", 120, [row("b", 90), row("b", 110)])];
    const found = matchedIssues(matched, items, new Map());
    expect(counts(found)).toMatchObject({ b: 4 });
    expect(found.find(({ id }) => id === "b")).toMatchObject({ first_seen_at: 1, last_seen_at: 120 });
  });

  it("knows what members said meanwhile, but not the whole stack's counts", () => {
    const known = new Map([["b", issue("b", 900, { status: "resolved", users: 3 })]]);
    const found = matchedIssues(matched, [], known).find(({ id }) => id === "b");
    expect(found).toMatchObject({ status: "resolved", count: 2, users: 3 });
  });

  it("counts the rows alone until the server has answered", () => {
    expect(counts(matchedIssues(null, [item("a", 5, [row("a", 4)])], new Map()))).toEqual({ a: 2 });
  });
});
