import { describe, expect, it } from "vitest";
import { FacetCounts, facetsOf } from "../src/facets";
import { usualColumns } from "../src/usual";
import { ANY } from "../src/range";
import { readView, writeView, type View } from "../src/view";
import type { Fields, Row } from "../src/wire";

const ID = "6732a1b0c4d5e6f708192a3b";
const USUAL: View = { query: "", range: ANY, brush: null, mode: "stream", error: null, tab: "trace", columns: null };

describe("a view in the address", () => {
  it.each<[string, Partial<View>]>([
    ["", {}],
    ["?q=level%3Aerror+-a%3A%22b+c%22", { query: 'level:error -a:"b c"' }],
    ["?range=15m", { range: { kind: "last", ms: 900_000 } }],
    ["?range=7d", { range: { kind: "last", ms: 7 * 86_400_000 } }],
    ["?from=20261125T142905Z", { range: { kind: "between", from: Date.UTC(2026, 10, 25, 14, 29, 5), to: null } }],
    ["?from=20261125T142905Z&to=20261125T143045.500Z", { range: { kind: "between", from: Date.UTC(2026, 10, 25, 14, 29, 5), to: Date.UTC(2026, 10, 25, 14, 30, 45, 500) } }],
    ["?brush=20261125T142905Z..20261125T143045Z", { brush: { from: Date.UTC(2026, 10, 25, 14, 29, 5), to: Date.UTC(2026, 10, 25, 14, 30, 45) } }],
    ["?mode=grouped", { mode: "grouped" }],
    [`?error=${ID}`, { error: ID }],
    [`?error=${ID}&tab=json`, { error: ID, tab: "json" }],
    ["?columns=service&columns=user.id", { columns: ["service", "user.id"] }],
    ["?columns=", { columns: [] }],
  ])("%s is read and written the same", (search, view) => {
    expect(readView(search)).toEqual({ ...USUAL, ...view });
    expect(writeView({ ...USUAL, ...view })).toBe(search);
  });

  it.each(["?mode=upside-down", "?error=%3Cscript%3E", "?tab=toString", "?error=short", "?range=1y", "?range=0m", "?from=yesterday", "?from=20261399T000000Z", "?from=20261125T142905Z&to=20261125T142904Z", "?brush=..", "?brush=20261125T143045Z..20261125T142905Z"])("%s means nothing", (search) => {
    expect(readView(search)).toEqual(USUAL);
  });
});

const rowOf = (fields: Fields, n: number): Row => ({
  id: String(n), at: n, issue: "i", level: n % 4 ? "error" : "warning", type: "", title: "t", where: "", fields,
});

describe("facets", () => {
  const rows = Array.from({ length: 40 }, (_, n) => rowOf({ service: n % 3 ? "web" : "pay", id: `unique-${n}`, user: { plan: "pro" }, text: "x".repeat(500) }, n));

  it("count the values of fields, level first, and leave out what is different everywhere", () => {
    const facets = facetsOf(rows);
    expect(facets.map((facet) => facet.name)).toEqual(["level", "service", "user.plan"]);
    expect(facets[0]!.values).toEqual([{ value: "error", count: 30 }, { value: "warning", count: 10 }]);
    expect(facets[1]).toMatchObject({ rows: 40, distinct: 2, values: [{ value: "web", count: 26 }, { value: "pay", count: 14 }] });
  });

  it("are not fooled by names", () => {
    const hostile = Array.from({ length: 8 }, (_, n) => rowOf(JSON.parse('{"__proto__":"x","constructor":"y"}') as Fields, n));
    expect(facetsOf(hostile).map((facet) => facet.name)).toEqual(["level", "__proto__", "constructor"]);
  });
});

describe("counts on top of the server's", () => {
  it("go on from what it counted", () => {
    const counts = new FacetCounts({ rows: 10, fields: [{ name: "service", rows: 10, distinct: 2, values: [["web", 7], ["pay", 3]] }] });
    counts.add(rowOf({ service: "mail" }, 1));
    counts.add(rowOf({ service: "pay" }, 2));
    expect(counts.rows).toBe(12);
    expect(counts.all().find(({ name }) => name === "service")).toEqual({
      name: "service", rows: 12, distinct: 3, values: [{ value: "web", count: 7 }, { value: "pay", count: 4 }, { value: "mail", count: 1 }],
    });
  });
});

describe("columns nobody chose", () => {
  it("are usual fields that most errors have", () => {
    const rows = [rowOf({ service: "a", release: "1" }, 1), rowOf({ service: "b", release: "1" }, 2), rowOf({ host: "h" }, 3)];
    expect(usualColumns(rows)).toEqual(["service", "release"]);
    expect(usualColumns([])).toEqual([]);
  });
});
