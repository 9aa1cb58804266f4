import { describe, expect, it } from "vitest";
import { perTime, verdict, type Fix } from "../src/fix";
import { arranged, badge, NEW_MS, span, users } from "../src/issues";
import { by, Markers } from "../src/markers";
import { all, extend, kept, NOTHING, toggle } from "../src/selection";
import { Trends } from "../src/trends";
import type { Issue, Marker } from "../src/wire";

const NOW = 1_731_420_000_000;
const MIN = 60_000;

const issue = (id: string, more: Partial<Issue> = {}): Issue => ({
  id, title: id, type: "", level: "error", where: "", first_seen_at: NOW - 9 * NEW_MS, last_seen_at: NOW,
  count: 1, status: "open", regressed_at: null, ...more,
});
const marker = (id: string, at: number, more: Partial<Marker> = {}): Marker => ({ id, at, text: id, origin: "member", ...more });

describe("issues", () => {
  const list = [
    issue("old", { last_seen_at: NOW - 5, count: 9 }),
    issue("new", { last_seen_at: NOW, count: 3 }),
    issue("done", { status: "resolved" }),
    issue("part", { into: "old" }),
  ];
  const names = (issues: Issue[]) => issues.map(({ id }) => id);

  it("are listed by state, the latest or the most first, merged ones not", () => {
    expect(names(arranged(list, "open", "last_seen"))).toEqual(["new", "old"]);
    expect(names(arranged(list, "open", "count"))).toEqual(["old", "new"]);
    expect(names(arranged(list, "resolved", "count"))).toEqual(["done"]);
    expect(names(arranged(list, "all", "count"))).toEqual(["old", "new", "done"]);
  });

  it.each<[Partial<Issue>, string | undefined]>([
    [{}, undefined],
    [{ first_seen_at: NOW - NEW_MS + 1 }, "new"],
    [{ first_seen_at: NOW - NEW_MS }, undefined],
    [{ regressed_at: NOW }, "regressed"],
    [{ returned_at: NOW }, "back"],
    [{ status: "resolved", first_seen_at: NOW }, "resolved"],
    [{ status: "ignored" }, "ignored"],
    [{ status: "ignored", until_at: NOW + 2 * 3_600_000 }, "ignored for 2 h"],
    [{ status: "ignored", until_count: 101 }, "ignored until 100 more"],
    [{ status: "ignored", until_at: NOW + MIN, until_count: 3 }, "ignored for 1 m or until 2 more"],
  ])("%o is said to be %s", (more, text) => {
    expect(badge(issue("a", more), NOW)?.text).toBe(text);
  });

  it("tell how many users, as far as that is known", () => {
    expect(users(issue("a"))).toBe("");
    expect(users(issue("a", { users: 1 }))).toBe("1 user");
    expect(users(issue("a", { users: 100, more_users: true }))).toBe("100+ users");
  });

  it.each([[0, "0 s"], [999, "0 s"], [59_000, "59 s"], [252_000, "4 m 12 s"], [3_600_000, "1 h"], [3 * 86_400_000 + 3_600_000 + MIN, "3 d 1 h"]])(
    "%d ms is %s",
    (ms, text) => expect(span(ms)).toBe(text),
  );
});

describe("a selection", () => {
  const ids = ["a", "b", "c", "d"];
  it("grows and shrinks", () => {
    expect([...toggle(NOTHING, "a")]).toEqual(["a"]);
    expect([...toggle(new Set(["a", "b"]), "a")]).toEqual(["b"]);
    expect([...extend(new Set(["a"]), ids, "d", "c")]).toEqual(["a", "c", "d"]);
    expect([...extend(NOTHING, ids, "gone", "b")]).toEqual(["b"]);
    expect([...all(new Set(["a"]), ids)]).toEqual(ids);
    expect(all(new Set(ids), ids).size).toBe(0);
    expect([...kept(new Set(["a", "gone"]), ids)]).toEqual(["a"]);
  });
});

describe("trends", () => {
  it("go on counting where the server ended", () => {
    const trends = new Trends();
    trends.replace(NOW - 58 * MIN, 2 * MIN, { a: [...new Array<number>(29).fill(0), 4] });
    trends.add("a", NOW + 1, 2);
    trends.add("b", NOW, 1);
    expect(trends.bars("a", NOW).at(-1)).toBe(6);
    expect(trends.bars("a", NOW + 4 * MIN).slice(-3)).toEqual([6, 0, 0]);
    expect(trends.bars("b", NOW)).toHaveLength(30);
    expect(trends.bars("nobody", NOW)).toEqual(new Array<number>(30).fill(0));
  });

  it("forget what is over, and issues beyond their number", () => {
    const trends = new Trends();
    for (let minute = 0; minute < 300; minute++) trends.add("a", NOW + minute * MIN, 1);
    expect(trends.bars("a", NOW)[0]).toBe(0);
    for (let n = 0; n < 1_000; n++) trends.add(`i${n}`, NOW, 1);
    expect(trends.bars("a", NOW + 299 * MIN).at(-1)).toBe(0);
  });
});

describe("markers", () => {
  it("are set and taken back", () => {
    const markers = new Markers();
    markers.replace([marker("b", 2), marker("a", 1)]);
    markers.apply(marker("c", 3));
    markers.apply(marker("c", 3));
    expect(markers.all.map(({ id }) => id)).toEqual(["c", "b", "a"]);
    expect(markers.newest?.id).toBe("c");
    markers.apply(marker("c", 3, { removed: true }));
    expect(markers.newest?.id).toBe("b");
    expect(markers.between(1, 2).map(({ id }) => id)).toEqual(["a"]);
  });

  it("say where they came from", () => {
    expect(by(marker("a", 1))).toBe("by a member");
    expect(by(marker("a", 1, { origin: "key" }))).toBe("with the stack key");
  });
});

describe("did that fix it", () => {
  const fix = (more: Partial<Fix> = {}): Fix => ({
    marker: marker("deployed", NOW), before: { count: 3_600, seconds: 3_600, complete: true },
    after: { count: 0, seconds: 0, complete: true }, last_seen_at: NOW - 5_000, at: NOW, ...more,
  });
  const since = (passed: number, more = 0) => ({ more, lastSeenAt: NOW, now: NOW + passed });

  it("it is quiet since", () => {
    expect(verdict(fix(), since(252_000))).toEqual({ since: "0 for 4 m 12 s", before: "before: 1 per s", isQuiet: true });
  });

  it("it goes on", () => {
    expect(verdict(fix(), since(120_000, 8))).toEqual({ since: "8 in 2 m, 4 per min", before: "before: 1 per s", isQuiet: false });
    const cut = fix({ after: { count: 5, seconds: 1, complete: false } });
    expect(verdict(cut, since(60_000)).since).toBe("5+ in 1 m, at least 5 per min");
  });

  it("there was nothing before, or no marker", () => {
    expect(verdict(fix({ before: null }), since(1_000))).toEqual({ since: "0 for 1 s", before: "before: not seen", isQuiet: false });
    expect(verdict(fix({ marker: null, before: null, after: null }), since(4_000)).since).toBe("quiet for 4 s");
  });

  it.each([[0, 60, "none"], [90, 60, "1.5 per s"], [30, 3_600, "30 per h"], [5_000, 10, "500 per s"], [1, 0, "1 per s"]])("%d in %d s: %s", (count, seconds, text) => {
    expect(perTime({ count, seconds, complete: true })).toBe(text);
  });
});
