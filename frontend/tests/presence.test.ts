import { describe, expect, it } from "vitest";
import { newest, top, topOfRows } from "../src/board";
import type { Item } from "../src/item";
import { anonymous, initials, people } from "../src/presence";
import { newWords } from "../src/text";
import type { Issue, Row } from "../src/wire";

describe("initials", () => {
  it.each([
    ["mia.kent@example.org", "MK"],
    ["jl@example.org", "JL"],
    ["ada@example.org", "AD"],
    ["a-b-c@example.org", "AB"],
    ["élodie_østby@example.org", "ÉØ"],
    ["x@example.org", "X"],
    ["deploy bot", "DB"],
    ["@", "?"],
    ["<b>@x", "B"],
  ])("of %s are %s", (email, expected) => expect(initials(email)).toBe(expected));
});

describe("people", () => {
  const members = [{ email: "a@x", viewers: 3 }, { email: "b@x", viewers: 1 }];
  const links = [{ id: "1", name: "guest", viewers: 2 }];
  it("counts a member once, and everybody else by their views", () => {
    expect(people({ viewers: 7, members, links })).toBe(5);
    expect(anonymous({ viewers: 7, members, links })).toBe(1);
  });
  it("has only a number where nobody is named", () => {
    expect(people({ viewers: 4, members: [], links: [] })).toBe(4);
    expect(anonymous({ viewers: 0, members, links })).toBe(0);
  });
});

describe("the wallboard", () => {
  const issue = (id: string, status = "open") => ({ id, status, title: id }) as unknown as Issue;
  it("has open issues with the most errors first", () => {
    const issues = [issue("a"), issue("b"), issue("c", "ignored"), issue("d")];
    const found = top(issues, { a: [1, 2], b: [9], c: [50], x: [7] }, 3);
    expect(found.map(({ issue: { id }, count }) => [id, count])).toEqual([["b", 9], ["a", 3]]);
    expect(top(issues, { a: [1], b: [2] }, 1).length).toBe(1);
  });
  it("counts rows where issues are not told of", () => {
    const error = (issue: string, at: number, unsent = 0) => ({ kind: "error", row: { id: `${issue}${at}`, issue, at, title: issue } as Row, folded: [], unsent }) as unknown as Item;
    const found = topOfRows([error("a", 5), error("b", 9, 2), { kind: "gap" } as Item, error("a", 10), error("a", 11)], 6, 2);
    expect(found.map(({ issue: { id }, count }) => [id, count])).toEqual([["b", 3], ["a", 2]]);
  });
  it("has the newest errors, without what is no error", () => {
    const error = (id: string, unsent = 0) => ({ kind: "error", row: { id } as Row, folded: [], unsent }) as unknown as Item;
    const items = [error("1"), { kind: "gap" } as Item, error("2", 4), error("3")];
    expect(newest(items, 2).map(({ row, count }) => [row.id, count])).toEqual([["3", 1], ["2", 5]]);
    expect(newest(items, 9).length).toBe(3);
  });
});

it("says what is new in words", () => {
  expect(newWords(["issue", "field:user.plan", "value:release=2.4=1"])).toEqual(["first of its issue", "field user.plan", "release 2.4=1"]);
});
