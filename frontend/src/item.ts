/** What stands in a row of the list, and what it says of itself. */

import type { Marker, Row } from "./wire";

/** An error and, folded under it, older repeats of its issue. */
export interface ErrorItem {
  kind: "error";
  key: number;
  row: Row;
  /** Repeats held below the newest, newest last. */
  folded: Row[];
  /** Repeats that were counted, never sent. */
  unsent: number;
  bytes: number;
  /** When the page got the newest and the first of them; the row's own rate follows. */
  newestMs: number;
  firstMs: number;
}

/** Errors between two known ones that the page does not have. `count` null: unknown. */
export interface GapItem {
  kind: "gap";
  key: number;
  from: string;
  to: string;
  count: number | null;
  state: "open" | "loading" | "partial";
}

export interface RefusedItem {
  kind: "refused";
  key: number;
  reason: string;
  count: number;
  at: number;
}

export interface MarkerItem {
  kind: "marker";
  key: number;
  marker: Marker;
}

export type Item = ErrorItem | GapItem | RefusedItem | MarkerItem;

/** How many errors a row stands for. */
export function times(item: ErrorItem): number {
  return 1 + item.folded.length + item.unsent;
}

/** Whether an error is the row's own or folded under it. */
export function holds(item: ErrorItem, id: string | null): boolean {
  return id !== null && (item.row.id === id || item.folded.some((row) => row.id === id));
}

const QUIET_MS = 2_000;
const YOUNG_MS = 1_000;

/** Repeats a second of a folded row, 0 when it has been quiet or is too young to tell. */
export function ticking(item: ErrorItem, now: number): number {
  const span = item.newestMs - item.firstMs;
  if (span < YOUNG_MS || now - item.newestMs > QUIET_MS) return 0;
  return (times(item) - 1) / (span / 1_000);
}
