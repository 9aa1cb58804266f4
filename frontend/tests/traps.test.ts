import { beforeEach, describe, expect, it } from "vitest";
import { MAX_TRAPS, NEWS, NEWS_EVERY_MS, readMinutes, TrapBook, type Trap } from "../src/traps";
import type { Row, TrapTold } from "../src/wire";

const NOW = 1_731_420_000_000;
let kept: string | null;
const store = { read: () => kept, write: (text: string) => void (kept = text) };
const row = (at: number, title = "boom"): Row => ({ id: `id${at}`, at, issue: "i", level: "error", type: "", title, where: "", fields: {} });
const told = (id: string, at: number, count = 1): TrapTold => ({ type: "trap", id, count, error: row(at) });
const trap = (change: Partial<Trap> = {}): Trap => ({ id: "t", kind: "next", query: "a", label: "a", minutes: 0, setAt: NOW, lastAt: NOW, ...change });
const quiet = (change: Partial<Trap> = {}) => trap({ kind: "quiet", minutes: 5, ...change });

beforeEach(() => void (kept = null));

describe("when it happens next", () => {
  it("rings for what came after it was set, and is gone once taken", () => {
    const book = new TrapBook(store);
    book.add(trap());
    expect(book.heard(told("t", NOW), NOW)).toBeNull();
    expect(book.heard(told("other", NOW + 5), NOW)).toBeNull();
    expect(book.heard(told("t", NOW + 5), NOW)).toEqual({ id: "t", title: "It happened: a", text: "boom", error: `id${NOW + 5}` });
    expect(book.take("t")).toBe(true);
    expect(book.take("t")).toBe(false);
    expect(book.heard(told("t", NOW + 9), NOW)).toBeNull();
  });

  it("is rung for by one tab of several", () => {
    const [one, two] = [new TrapBook(store), new TrapBook(store)];
    one.add(trap());
    two.load();
    expect(two.traps.length).toBe(1);
    expect([one.take("t"), two.take("t")]).toEqual([true, false]);
    expect(two.traps).toEqual([]);
  });

  it("survives a reload, and asks for what came since", () => {
    new TrapBook(store).add(trap());
    const again = new TrapBook(store);
    expect(again.asked()).toEqual([{ id: "t", query: "a", since: NOW }]);
    again.choose({ news: true });
    expect(new TrapBook(store).asked()).toEqual([{ id: "t", query: "a", since: NOW }, { id: NEWS, query: "_new:issue" }]);
  });
});

describe("when it has been quiet", () => {
  it("rings after so many minutes without a match", () => {
    const book = new TrapBook(store);
    book.add(quiet());
    expect(book.quiet(NOW + 299_999)).toEqual([]);
    expect(book.quiet(NOW + 300_000).map(({ title }) => title)).toEqual(["Quiet for 5 minutes: a"]);
    expect(book.heard(told("t", NOW + 200_000), NOW)).toBeNull();
    expect(book.quiet(NOW + 300_000)).toEqual([]);
    expect(book.quiet(NOW + 500_000).length).toBe(1);
    expect(new TrapBook(store).traps[0]!.lastAt).toBe(NOW + 200_000);
  });
});

describe("issues seen for the first time", () => {
  it("are told of when it was asked for, once in ten seconds at most, and none is lost", () => {
    const book = new TrapBook(store);
    expect(book.heard(told(NEWS, NOW), NOW)).toBeNull();
    book.choose({ news: true });
    expect(book.heard(told(NEWS, NOW), NOW)?.title).toBe("New issue");
    expect(book.heard(told(NEWS, NOW + 1, 2), NOW + 1)).toBeNull();
    expect(book.heard(told(NEWS, NOW + 2), NOW + NEWS_EVERY_MS)?.title).toBe("New issue, and 2 more");
  });
});

describe("what is kept", () => {
  it.each(["{", "7", "null", "[]", '{"traps":7}', '{"traps":[null,{"id":1},{"id":"x","kind":"always"}]}'])("is nothing where it cannot be read: %s", (text) => {
    kept = text;
    const book = new TrapBook(store);
    expect([book.traps, book.news, book.sound, book.isEmpty]).toEqual([[], false, false, true]);
  });

  it("is bounded", () => {
    const book = new TrapBook(store);
    for (let n = 0; n < MAX_TRAPS; n++) expect(book.add(trap({ id: String(n) }))).toBe(true);
    expect(book.add(trap({ id: "more" }))).toBe(false);
    expect(book.asked().length).toBe(MAX_TRAPS);
  });
});

it.each([["5", 5], ["1440", 1440], ["0", null], ["1441", null], ["2.5", null], ["x", null], ["", null]])("reads %s as minutes", (text, expected) => {
  expect(readMinutes(text)).toBe(expected);
});
