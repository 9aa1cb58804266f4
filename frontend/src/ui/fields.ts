/**
 * What the server counted of fields and their values, in the newest errors of the view and of the whole
 * stack. For facets, suggestions and columns, which count on from there (`counting.ts`).
 */

import { signal } from "@preact/signals";
import type { Counted } from "../facets";
import type { Live } from "./live";

/** Facets of a view that is typed wait for the hand to rest. */
const REST_MS = 250;
/** What the whole stack holds is asked for when the query is written, and not more often. */
const WHOLE_FOR_MS = 60_000;

export interface Base extends Counted {
  complete: boolean;
  /** It counts what came before this. */
  until: number;
}

export class Fields {
  /** What the server counted for the view in hand; null until it has. */
  readonly base = signal<Base | null>(null);
  /** Whether facets are on the page: else they are not asked for. */
  isShown = false;

  private asked = 0;
  private restTimer = 0;
  /** What the server counted in the whole stack. */
  whole: Counted | null = null;
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
}
