/** What a person has chosen to look at, as signals, and its writing into the address. */

import { batch, signal } from "@preact/signals";
import { usualColumns } from "../facets";
import { readView, writeView, type Mode, type Tab, type View } from "../view";
import type { Row } from "../wire";

const MAX_COLUMNS = 4;

export class Chosen {
  readonly query = signal("");
  readonly mode = signal<Mode>("stream");
  /** The row the keyboard is at, and the error that is open; when one is open, it is both. */
  readonly at = signal<string | null>(null);
  readonly selected = signal<string | null>(null);
  readonly tab = signal<Tab>("trace");
  readonly columns = signal<readonly string[]>([]);

  private isColumnsChosen = false;
  private readonly storedAs: string;

  /** `page` is the path of this view: columns are remembered for it. */
  constructor(page: string) {
    this.storedAs = `columns:${page}`;
    const view = this.read();
    const columns = view.columns ?? storedList(this.storedAs);
    this.isColumnsChosen = columns !== null;
    this.columns.value = columns ?? [];
    this.query.value = view.query;
    this.at.value = this.selected.value = view.error;
  }

  /** Take mode and tab from the address; the rest is for others to act on. */
  read(): View {
    const view = readView(location.search);
    batch(() => {
      this.mode.value = view.mode;
      this.tab.value = view.tab;
    });
    return view;
  }

  /** Name the view in the address; a step back leads over queries and opened errors. */
  write(replace = false): void {
    const search = writeView({
      query: this.query.value,
      mode: this.mode.value,
      error: this.selected.value,
      tab: this.tab.value,
      columns: this.isColumnsChosen ? [...this.columns.value] : null,
    });
    if (search === location.search) return;
    history[replace ? "replaceState" : "pushState"](null, "", location.pathname + search);
  }

  toggleColumn(name: string): void {
    const had = this.columns.value;
    this.columns.value = had.includes(name) ? had.filter((each) => each !== name) : [...had, name].slice(-MAX_COLUMNS);
    this.isColumnsChosen = true;
    localStorage.setItem(this.storedAs, JSON.stringify(this.columns.value));
    this.write(true);
  }

  /** Columns for someone who has chosen none. */
  suggestColumns(rows: readonly Row[]): void {
    if (!this.isColumnsChosen && this.columns.value.length === 0) this.columns.value = usualColumns(rows);
  }
}

function storedList(key: string): string[] | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : null;
  } catch {
    return null;
  }
}
