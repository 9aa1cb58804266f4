import { describe, expect, it } from "vitest";
import { ago, count, flatten, link, oneLine, parts, perSecond, plural, short, valueAt, valueText } from "../src/text";

const RLO = "\u202e";

describe("what strangers wrote", () => {
  it.each([
    ["plain", [["plain", "plain"]]],
    [`invoice${RLO}gpj.exe`, [["plain", "invoice"], ["control", "U+202E"], ["plain", "gpj.exe"]]],
    ["a\u0000b", [["plain", "a"], ["control", "U+0000"], ["plain", "b"]]],
    ["\ud800x", [["control", "U+D800"], ["plain", "x"]]],
    ["zero\u200bwidth\ufeff", [["plain", "zero"], ["control", "U+200B"], ["plain", "width"], ["control", "U+FEFF"]]],
    ["\u2066isolate\u2069", [["control", "U+2066"], ["plain", "isolate"], ["control", "U+2069"]]],
    ["family 👩‍👩‍👧 می‌خواهم", [["plain", "family 👩‍👩‍👧 می‌خواهم"]]],
    ["", []],
  ])("%j is shown in parts", (text, expected) => {
    expect(parts(text).map(({ kind, text }) => [kind, text])).toEqual(expected);
  });

  it("is marked where searched words occur, in any case, as text and not as a pattern", () => {
    expect(parts("A (Timeout) and timeout.", ["timeout", "("]).map((part) => `${part.kind}:${part.text}`)).toEqual([
      "plain:A ", "mark:(", "mark:Timeout", "plain:) and ", "mark:timeout", "plain:.",
    ]);
  });

  it.each([
    ["https://shop.test/a?b=c", "https://shop.test/a?b=c"],
    ["HTTP://shop.test", "http://shop.test/"],
    ["javascript:alert(1)", null],
    [" https://shop.test", null],
    ["https://shop.test and more", null],
    ["data:text/html,x", null],
    ["https://", null],
    ["//shop.test", null],
    [`https://shop.test/${"x".repeat(3_000)}`, null],
  ])("%s links to %s", (text, href) => {
    expect(link(text)).toBe(href);
  });

  it("stands on one line", () => {
    expect(oneLine("a\r\n  b\tc")).toBe("a ⏎ b c");
  });
});

describe("fields", () => {
  const fields = { a: { b: 1, c: { d: "x" } }, "a.b": 2, list: [1, 2], none: null, "": "empty name", e: {} };

  it("are flattened to dotted names, lists and empty objects whole", () => {
    expect(flatten(fields)).toEqual([
      ["a.b", 1], ["a.c.d", "x"], ["a.b", 2], ["list", [1, 2]], ["none", null], ["", "empty name"], ["e", {}],
    ]);
    expect(flatten({})).toEqual([]);
    expect(flatten({ a: { b: 1, c: 2 } }, 1)).toHaveLength(1);
  });

  it.each([
    ["a.b", 2],
    ["a.c.d", "x"],
    ["a.c", { d: "x" }],
    ["", "empty name"],
    ["missing.x", undefined],
    ["__proto__", undefined],
    ["toString", undefined],
    ["a.toString", undefined],
  ])("at %j is %j", (path, value) => {
    expect(valueAt(fields, path)).toEqual(value);
  });

  it.each([
    ["text", "text"],
    [{ a: [1] }, '{"a":[1]}'],
    [null, "null"],
    [7, "7"],
  ])("of %j read as text", (value, text) => {
    expect(valueText(value)).toBe(text);
  });

  it("beyond 2^53 read as the digits they are", () => {
    expect(valueText(10n ** 20n)).toBe("100000000000000000000");
  });
});

describe("words and numbers", () => {
  it.each([[0, "0"], [999, "999"], [1_250, "1.2k"], [34_900, "34k"], [5_678_000, "5.6M"]])("%i is %s in short", (n, text) => {
    expect(short(n)).toBe(text);
  });
  it.each([[0, "0"], [0.24, "0.2"], [9.94, "9.9"], [9.96, "10"], [486.4, "486"]])("%d a second is %s", (n, text) => {
    expect(perSecond(n)).toBe(text);
  });
  it.each([[0, "just now"], [40, "40 s ago"], [300, "5 min ago"], [3 * 3_600, "3 h ago"], [86_400, "1 day ago"], [200_000, "2 days ago"]])(
    "%i s is %s",
    (seconds, text) => {
      expect(ago(1_000_000_000, 1_000_000_000 + seconds * 1_000)).toBe(text);
    },
  );
  it("counts and its words agree", () => {
    expect([plural(1, "error"), plural(1_234, "error"), count(10_000)]).toEqual(["1 error", "1,234 errors", "10,000"]);
  });
});
