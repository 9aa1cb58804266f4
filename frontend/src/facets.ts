/** Which values the fields of the newest errors have, counted: the facets beside the list. */

import type { Json, Row } from "./wire";
import { flatten, valueText } from "./text";

/** How many of the newest errors are counted, and how much of each field is. */
export const FACET_ROWS = 2_000;
const MAX_FIELDS = 40;
const MAX_VALUE_CHARS = 120;
const MAX_WORD_CHARS = 24;
/** Names whose values the facets of level and type count already. */
const TOLD: ReadonlySet<string> = new Set(["level", "levelname", "severity", "type", "Type"]);

export interface Facet {
  name: string;
  /** Errors that have the field; distinct values; the most frequent ones, most first. */
  rows: number;
  distinct: number;
  values: { value: string; count: number }[];
}

/** Facets of rows: `level` first, then fields by how many errors share a value of them. */
export function facetsOf(rows: Iterable<Row>, values = 5): Facet[] {
  const counts = new Map<string, Map<string, number>>([["level", new Map()]]);
  let seen = 0;
  for (const row of rows) {
    if (seen++ >= FACET_ROWS) break;
    add(counts, "level", row.level);
    if (row.type !== "") add(counts, "type", row.type);
    for (const [name, value] of flatten(row.fields, MAX_FIELDS)) countValue(counts, name, value);
  }
  const facets = [...counts].map(([name, found]) => facet(name, found, values));
  return facets.filter(isTelling).sort(byUse);
}

function countValue(counts: Map<string, Map<string, number>>, name: string, value: Json): void {
  if (value === null || typeof value === "object" || TOLD.has(name)) return;
  const text = valueText(value);
  if (text !== "" && text.length <= MAX_VALUE_CHARS) add(counts, name, text);
}

function add(counts: Map<string, Map<string, number>>, name: string, value: string): void {
  let values = counts.get(name);
  if (!values) counts.set(name, (values = new Map()));
  values.set(value, (values.get(value) ?? 0) + 1);
}

function facet(name: string, found: Map<string, number>, limit: number): Facet {
  const sorted = [...found].sort((a, b) => b[1] - a[1]);
  const rows = sorted.reduce((all, [, count]) => all + count, 0);
  const values = sorted.slice(0, limit).map(([value, count]) => ({ value, count }));
  return { name, rows, distinct: sorted.length, values };
}

/** A field whose every value is its own (an id, a message) tells nothing as a facet. */
function isTelling(facet: Facet): boolean {
  if (facet.rows === 0) return false;
  return facet.name === "level" || facet.rows < 4 || facet.distinct <= facet.rows * 0.7;
}

function byUse(a: Facet, b: Facet): number {
  return rank(b) - rank(a) || a.name.localeCompare(b.name);
}

/** By how many errors a click on a value divides; words are told apart at a glance, sentences are not. */
function rank(facet: Facet): number {
  if (facet.name === "level") return Infinity;
  const spread = facet.distinct > 1 ? 1 : 0.2; // one value everywhere filters nothing
  const chars = facet.values.reduce((all, { value }) => all + value.length, 0) / facet.values.length;
  return (facet.rows / Math.sqrt(facet.distinct)) * spread * (chars > MAX_WORD_CHARS ? 0.2 : 1);
}

const USUAL = [
  "service", "app", "component", "environment", "env", "host", "hostname", "release", "user.id", "user",
  "request.route", "module", "Platform", "logger",
];

/** Two columns that most of these errors fill, for a person who has chosen none. */
export function usualColumns(rows: readonly Row[], limit = 2): string[] {
  const names = new Map<string, number>();
  const sample = rows.slice(-200);
  for (const row of sample) {
    for (const [name] of flatten(row.fields, MAX_FIELDS)) names.set(name, (names.get(name) ?? 0) + 1);
  }
  return USUAL.filter((name) => (names.get(name) ?? 0) * 2 > sample.length).slice(0, limit);
}
