/** Fields and their values: what the server counted, and on top of that the rows that came since. */

import type { KnownField } from "../complete";
import { FacetCounts, FACET_ROWS, type Facet } from "../facets";
import type { Item } from "../item";
import type { Row } from "../wire";
import type { Live } from "./live";

const VALUES = 20;

export interface Counts {
  facets: Facet[];
  rows: number;
  /** No error of the view is left out. */
  isAll: boolean;
}

/** Facets of the view: of all its newest errors that were counted. */
export function countsOf({ feed, fields }: Live): Counts {
  const base = fields.base.value;
  const fresh = [...newest(feed.rows.items, base?.until ?? 0)];
  const isEnough = fresh.length >= FACET_ROWS;
  const counts = new FacetCounts(isEnough ? null : base);
  for (const row of fresh) counts.add(row);
  return { facets: counts.facets(VALUES), rows: counts.rows, isAll: !isEnough && (base?.complete ?? feed.rows.complete) };
}

/** Every field that was seen, in the whole stack or in this view. */
export function knownTo({ feed, fields }: Live): KnownField[] {
  const { items } = feed.rows;
  const counts = new FacetCounts(fields.whole ?? fields.base.value);
  if (!fields.whole) for (const row of newest(items, fields.base.value?.until ?? 0)) counts.add(row);
  const found = new Map<string, KnownField>(counts.all(VALUES).map((field) => [field.name, field]));
  for (const { fields: given } of newest(items, 0)) for (const name of Object.keys(given)) if (name && !found.has(name)) found.set(name, { name, rows: 1, values: [] });
  return [...found.values()].filter(({ name, rows }) => name && rows > 0);
}

/** The newest rows from `since` on, so many as are counted. */
function* newest(items: readonly Item[], since: number): Generator<Row> {
  let left = FACET_ROWS;
  for (let at = items.length - 1; at >= 0 && left > 0; at--) {
    const item = items[at]!;
    if (item.kind !== "error") continue;
    for (const row of [item.row, ...item.folded.toReversed()]) {
      if (row.at < since || left-- <= 0) return;
      yield row;
    }
  }
}
