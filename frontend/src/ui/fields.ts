/**
 * Which fields there are and which values they take: counted by the server over the newest errors of
 * the view, and on top of that in the rows that came since. For facets, suggestions and columns.
 */

import { signal } from "@preact/signals";
import type { KnownField } from "../complete";
import { FacetCounts, FACET_ROWS, type Counted, type Facet } from "../facets";
import type { Row } from "../wire";
import type { Live } from "./live";

/** Facets of a view that is typed wait for the hand to rest. */
const REST_MS = 250;
/** What the whole stack holds is asked for when the query is written, and not more often. */
const WHOLE_FOR_MS = 60_000;
const VALUES = 20;

export interface Base extends Counted {
  complete: boolean;
  /** It counts what came before this. */
  until: number;
}

export interface Counts {
  facets: Facet[];
  rows: number;
  /** No error of the view is left out. */
  isAll: boolean;
}

export class Fields {
  /** What the server counted for the view in hand; null until it has. */
  readonly base = signal<Base | null>(null);
  /** Whether facets are on the page: else they are not asked for. */
  isShown = false;

  private asked = 0;
  private restTimer = 0;
  private whole: Counted | null = null;
  private wholeAt = -Infinity;

  constructor(private readonly live: Live) {}

  /** The view changed: what was counted is of another. */
  change(): void {
    this.base.value = null;
    this.asked++;
    clearTimeout(this.restTimer);
    if (this.isShown) this.restTimer = window.setTimeout(() => void this.count(), REST_MS);
  }

  show(isShown: boolean): void {
    if (isShown && !this.isShown && !this.base.value) this.restTimer = window.setTimeout(() => void this.count(), REST_MS);
    this.isShown = isShown;
  }

  /** What the whole stack holds, for suggestions. */
  load(): void {
    const { api } = this.live;
    if (Date.now() - this.wholeAt < WHOLE_FOR_MS) return;
    this.wholeAt = Date.now();
    api.fields({}).then(
      (found) => (this.whole = found),
      () => (this.wholeAt = -Infinity), // there are still the fields of the rows on the page
    );
  }

  /** Facets of the view: of all its newest errors that were counted. */
  counts(): Counts {
    const base = this.base.value;
    const { rows } = this.live.feed;
    const fresh = [...this.newest(base?.until ?? 0)];
    const isEnough = fresh.length >= FACET_ROWS;
    const counts = new FacetCounts(isEnough ? null : base);
    for (const row of fresh) counts.add(row);
    return { facets: counts.facets(VALUES), rows: counts.rows, isAll: !isEnough && (base?.complete ?? rows.complete) };
  }

  /** Every field that was seen, in the whole stack or in this view. */
  known(): KnownField[] {
    const counts = new FacetCounts(this.whole ?? this.base.value);
    if (!this.whole) for (const row of this.newest(this.base.value?.until ?? 0)) counts.add(row);
    const found = new Map(counts.all(VALUES).map((field) => [field.name, field]));
    for (const row of this.newest(0)) for (const name of Object.keys(row.fields)) if (name && !found.has(name)) found.set(name, { name, rows: 1, distinct: 1, values: [] });
    return [...found.values()].filter(({ name, rows }) => name && rows > 0);
  }

  private async count(): Promise<void> {
    const asked = ++this.asked;
    const { feed, query, api } = this.live;
    const until = feed.span.until ?? Math.round(feed.serverNow());
    const since = feed.span.since === null ? {} : { since: String(Math.round(feed.span.since)) };
    try {
      const found = await api.fields({ query: query.value, ...since, until: String(Math.ceil(until)) });
      if (asked === this.asked) this.base.value = { ...found, until };
    } catch {
      // The rows on the page are counted all the same.
    }
    this.live.connection.paintSoon();
  }

  /** The newest rows from `since` on, so many as are counted. */
  private *newest(since: number): Generator<Row> {
    const { items } = this.live.feed.rows;
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
}
