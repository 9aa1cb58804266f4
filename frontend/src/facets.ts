/** Which values the fields of the newest errors have, counted: the facets beside the list. */

import type { Row } from "./wire";
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

/** What was counted elsewhere, as the server tells it. */
export interface Counted {
  fields: readonly { name: string; rows: number; distinct: number; values: readonly (readonly [value: string, count: number])[] }[];
  rows: number;
}

interface FieldCount {
  rows: number;
  /** Values that are told apart; those counted elsewhere are not all named. */
  distinct: number;
  isPartial: boolean;
  values: Map<string, number>;
}

/** Counts the values of fields in rows, on top of what the server has counted. */
export class FacetCounts {
  rows: number;
  private readonly counts = new Map<string, FieldCount>([["level", { rows: 0, distinct: 0, isPartial: false, values: new Map() }]]);

  constructor(base: Counted | null = null) {
    this.rows = base?.rows ?? 0;
    for (const { name, rows, distinct, values } of base?.fields ?? []) {
      this.counts.set(name, { rows, distinct, isPartial: distinct > values.length, values: new Map(values) });
    }
  }

  add(row: Row): void {
    this.rows++;
    this.count("level", row.level);
    if (row.type !== "") this.count("type", row.type);
    for (const [name, value] of flatten(row.fields, MAX_FIELDS)) {
      if (value === null || typeof value === "object" || TOLD.has(name)) continue;
      const text = valueText(value);
      if (text !== "" && text.length <= MAX_VALUE_CHARS) this.count(name, text);
    }
  }

  /** Every field, with its most frequent values. */
  all(limit = 5): Facet[] {
    return [...this.counts].map(([name, { rows, distinct, values }]) => {
      const sorted = [...values].sort((a, b) => b[1] - a[1]);
      return { name, rows, distinct, values: sorted.slice(0, limit).map(([value, count]) => ({ value, count })) };
    });
  }

  /** What filters well: `level` first, then fields by how many errors share a value of them. */
  facets(limit = 5): Facet[] {
    return this.all(limit).filter(isTelling).sort(byUse);
  }

  private count(name: string, value: string): void {
    let field = this.counts.get(name);
    if (!field) this.counts.set(name, (field = { rows: 0, distinct: 0, isPartial: false, values: new Map() }));
    const before = field.values.get(value) ?? 0;
    field.rows++;
    if (before === 0 && !field.isPartial) field.distinct++;
    field.values.set(value, before + 1);
  }
}

/** Facets of rows, of the first FACET_ROWS of them. */
export function facetsOf(rows: Iterable<Row>, limit = 5): Facet[] {
  const counts = new FacetCounts();
  for (const row of rows) {
    if (counts.rows >= FACET_ROWS) break;
    counts.add(row);
  }
  return counts.facets(limit);
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
