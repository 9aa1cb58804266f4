/** What a person looks at, whole in the address: copying it shares the same view with a member. */

import { readRange, readStretch, writeRange, writeStretch, type Range, type Stretch } from "./range";

export type Mode = "stream" | "grouped";
export const TABS = ["trace", "fields", "json", "similar", "before"] as const;
export type Tab = (typeof TABS)[number];

/**
 * `brush` is the part of the range that is marked in the chart. `error` is the opened error's id.
 * `columns` null: chosen by the page.
 */
export interface View {
  query: string;
  range: Range;
  brush: Stretch | null;
  mode: Mode;
  error: string | null;
  tab: Tab;
  columns: string[] | null;
}

const ID = /^[0-9a-f]{24}$/;

/** Read an address's search part; what makes no sense is left out. */
export function readView(search: string): View {
  const given = new URLSearchParams(search);
  const error = given.get("error") ?? "";
  const tab = given.get("tab") as Tab;
  return {
    query: given.get("q") ?? "",
    range: readRange(given),
    brush: readStretch(given.get("brush") ?? ""),
    mode: given.get("mode") === "grouped" ? "grouped" : "stream",
    error: ID.test(error) ? error : null,
    tab: TABS.includes(tab) ? tab : "trace",
    columns: given.has("columns") ? given.getAll("columns").filter(Boolean) : null,
  };
}

/** Write it, shortest first: what is usual is not named. Starts with `?` unless empty. */
export function writeView(view: View): string {
  const named = new URLSearchParams();
  if (view.query) named.set("q", view.query);
  writeRange(view.range, named);
  if (view.brush) named.set("brush", writeStretch(view.brush));
  if (view.mode !== "stream") named.set("mode", view.mode);
  if (view.error) named.set("error", view.error);
  if (view.error && view.tab !== "trace") named.set("tab", view.tab);
  if (view.columns?.length === 0) named.set("columns", "");
  for (const column of view.columns ?? []) named.append("columns", column);
  const text = named.toString();
  return text ? `?${text}` : "";
}
