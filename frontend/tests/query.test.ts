/** The query language against the table that the server's tests use, too. */

import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { place, QueryError, spans } from "../src/query";
import { exclude, include, sense } from "../src/query/edit";
import { own } from "../src/query/node";
import { parse } from "../src/query/passing";
import { parseJson, type Row } from "../src/wire";

interface Cases {
  errors: { [name: string]: Omit<Row, "at"> };
  queries: { query: string; text?: string; matches: string[] }[];
  wrong: { query: string; at: number }[];
}

const table = readFileSync(new URL("../../tests/query/cases.json", import.meta.url), "utf8");
const cases = parseJson(table) as Cases;

describe("the shared table", () => {
  test.each(cases.queries)("$query", ({ query, text, matches }) => {
    const parsed = parse(query);
    const found = Object.entries(cases.errors).filter(([, error]) => parsed.matches({ at: 0, ...error }));
    expect(found.map(([name]) => name).sort()).toEqual([...matches].sort());
    expect(parse(parsed.text).text).toBe(parsed.text);
    if (text !== undefined) expect(parsed.text).toBe(text);
  });

  test.each(cases.wrong)("$query is wrong at $at", ({ query, at }) => {
    expect(wrongAt(query)).toBe(place(query, at));
  });
});

function wrongAt(query: string): number | null {
  try {
    parse(query);
  } catch (error) {
    if (error instanceof QueryError) return error.at;
    throw error;
  }
  return null;
}

function row(fields: Row["fields"]): Row {
  return { id: "", at: 0, issue: "", level: "error", type: "", title: "", where: "", fields };
}

describe("matching", () => {
  it("compares integers beyond 2^53 exactly", () => {
    const big = row({ n: 9007199254740993n });
    expect(parse("n:9007199254740993").matches(big)).toBe(true);
    expect(parse("n:9007199254740992").matches(big)).toBe(false);
    expect(parse("n>5").matches(big)).toBe(true);
  });

  it("compares the digits of texts that doubles would lose", () => {
    const long = row({ n: "100000000000000.000000000000001" });
    expect(parse("n>100000000000000").matches(long)).toBe(true);
    expect(parse("n<=100000000000000").matches(long)).toBe(false);
    expect(parse("n>-0").matches(long)).toBe(true);
  });

  it("folds words as the server does", () => {
    const folded = row({ f: "GROẞ ΟΔΟΣ ﬁle" });
    for (const word of ["groß", "GROSS", "οδος", "οδοσ", "FILE"]) expect(parse(word).matches(folded)).toBe(true);
  });

  it("takes names that objects inherit for what they are", () => {
    expect(parse("constructor:* OR toString:* OR __proto__.x:*").matches(row({}))).toBe(false);
    expect(parse("a.constructor:*").matches(row({ a: {} }))).toBe(false);
    const sent = row(JSON.parse('{"__proto__": {"x": "1"}}') as Row["fields"]);
    expect(parse("__proto__.x:1").matches(sent)).toBe(true);
  });

  it("steps through texts only as far as the server does", () => {
    const [short, long] = [65_534, 65_535].map((size) => row({ f: `a${"😀".repeat(size - 2)}b` }));
    for (const query of ["f:a*b", "f:*a*b", "f:a*b*"]) {
      expect([parse(query).matches(short!), parse(query).matches(long!)]).toEqual([true, false]);
    }
    for (const query of ["f:a*", "f:*b", "f:*😀*"]) expect(parse(query).matches(long!)).toBe(true);
  });

  it("takes time in proportion to the text", () => {
    const hostile = row({ f: "a".repeat(100_000) });
    expect(parse("f:*a*a*a*a*a*b *a*a*a*a*b").matches(hostile)).toBe(false);
    expect(wrongAt(`"${"\\".repeat(1_500)}a`)).toBe(0);
  });
});

describe("spans", () => {
  it("name every part of a query", () => {
    const text = 'level:error,fatal -service:search (timeout OR "disk full") n>5 NOT x';
    const { spans: found, wrong } = spans(text);
    expect(wrong).toBeNull();
    expect(found.map(({ kind, start, end }) => [kind, text.slice(start, end)])).toEqual([
      ["field", "level"], ["operator", ":"], ["value", "error"], ["operator", ","], ["value", "fatal"],
      ["negation", "-"], ["field", "service"], ["operator", ":"], ["value", "search"],
      ["bracket", "("], ["word", "timeout"], ["keyword", "OR"], ["phrase", '"disk full"'], ["bracket", ")"],
      ["field", "n"], ["operator", ">"], ["value", "5"], ["keyword", "NOT"], ["word", "x"],
    ]);
  });

  it("stop where the text is wrong", () => {
    const { spans: found, wrong } = spans("a (b f:");
    expect(found.map(({ kind }) => kind)).toEqual(["word", "bracket", "word", "field", "operator"]);
    expect(wrong?.at).toBe(7);
    expect(wrong?.message).toContain("A value is missing after f");
  });
});

describe("a click on a value", () => {
  test.each([
    ["", "level", "error", "level:error"],
    ["level:error", "level", "fatal", "level:error,fatal"],
    ["level:error,fatal", "level", "fatal", "level:error"],
    ["level:error", "level", "error", ""],
    ["-level:error", "level", "error", "level:error"],
    ["-level:error,info", "level", "error", "-level:info level:error"],
    ["level:e* x", "level", "info", "level:e* x level:info"],
    ["a OR b", "service", "web", "(a OR b) service:web"],
    ["", "my field", 'say "hi", C:\\x', '"my field":"say \\"hi\\", C:\\\\x"'],
    ["", "star", "a*b", 'star:"a*b"'],
    ["", "range", "1..2", 'range:"1..2"'],
    ["", "", "x", '"":x'],
  ])("%s and %s = %s is %s", (query, name, value, expected) => {
    const next = include(query, name, value);
    expect(next).toBe(expected);
    expect(parse(next).text).toBe(next);
  });

  test.each([
    ["", "level", "error", "-level:error"],
    ["-level:error", "level", "fatal", "-level:error,fatal"],
    ["-level:error,fatal", "level", "fatal", "-level:error"],
    ["level:error,fatal", "level", "fatal", "level:error"],
    ["level:fatal", "level", "fatal", "-level:fatal"],
    ["timeout", "service", "web", "timeout -service:web"],
  ])("%s and %s ≠ %s is %s", (query, name, value, expected) => {
    expect(exclude(query, name, value)).toBe(expected);
  });

  it("is known by its sense", () => {
    const query = "level:error,fatal -service:web (host:a OR host:b)";
    expect(sense(query, "level", "fatal")).toBe("in");
    expect(sense(query, "service", "web")).toBe("out");
    expect(sense(query, "host", "a")).toBeNull();
  });

  it("tells a sender's field from a meaning of its name", () => {
    expect(own("level")).toBe("fields.level");
    expect(own("fields.x")).toBe("fields.fields.x");
    expect(own("service")).toBe("service");
  });
});

it("highlights what bare words look for", () => {
  expect(parse('Disk*full "Straße" -not level:error (a OR disk)').words).toEqual(["disk", "full", "strasse", "a"]);
});
