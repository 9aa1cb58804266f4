/** Where the errors of a view are downloaded from, as lines of JSON or as a table. */

export interface Wanted {
  query: string;
  since: number | null;
  until: number | null;
}

/** What a table of the view in hand begins with, before the columns that were chosen. */
const FIRST = ["at", "level", "title"];

/** `columns` null: every field, which is all that lines of JSON have. */
export function exportUrl(base: string, format: "csv" | "ndjson", { query, since, until }: Wanted, columns: readonly string[] | null = null): string {
  const asked = new URLSearchParams({ format });
  if (query) asked.set("query", query);
  if (since !== null) asked.set("since", String(Math.round(since)));
  if (until !== null) asked.set("until", String(Math.round(until)));
  // Commas stand between names: a name with one cannot be asked for.
  if (columns) asked.set("columns", [...FIRST, ...columns.filter((name) => !name.includes(","))].join(","));
  return `${base}/export?${asked}`;
}
