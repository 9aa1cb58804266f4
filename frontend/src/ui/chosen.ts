/** What a person has chosen to look at, as signals, and its writing into the address. */

import { batch, signal } from "@preact/signals";
import { usualColumns } from "../usual";
import { ANY, type Range, type Stretch } from "../range";
import { readView, writeView, type Mode, type Tab, type View } from "../view";
import type { Row } from "../wire";

export const MAX_COLUMNS = 6;

export class Chosen {
  readonly query = signal("");
  readonly range = signal<Range>(ANY);
  readonly brush = signal<Stretch | null>(null);
  readonly mode = signal<Mode>("stream");
  /** The row the keyboard is at, and the error that is open; when one is open, it is both. */
  readonly at = signal<string | null>(null);
  readonly selected = signal<string | null>(null);
  readonly tab = signal<Tab>("trace");
  readonly columns = signal<readonly string[]>([]);

  private isColumnsChosen = false;
  private isFollowing = false;
  private readonly storedAs: string;

  /** `page` is the path of this view: columns are remembered for it. */
  constructor(page: string) {
    this.storedAs = `columns:${page}`;
    const view = this.read();
    const columns = view.columns ?? storedList(this.storedAs);
    this.isColumnsChosen = columns !== null;
    this.columns.value = columns ?? [];
    this.take(view);
    this.at.value = this.selected.value = view.error;
  }

  /** Take what is asked of the server. */
  take(view: View): void {
    batch(() => {
      this.query.value = view.query;
      this.range.value = view.range;
      this.brush.value = view.brush;
      if (view.columns) this.columns.value = view.columns;
    });
  }

  /** What is asked of the server, as one comparable text. */
  get asked(): string {
    return JSON.stringify([this.query.value, this.range.value, this.brush.value]);
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

  /** Act on the address that was stepped to, without writing it. */
  follow(act: (view: View) => void): void {
    this.isFollowing = true;
    try {
      act(this.read());
    } finally {
      this.isFollowing = false;
    }
  }

  /** Name the view in the address; a step back leads over queries, ranges and opened errors. */
  write(replace = false): void {
    const search = writeView({
      query: this.query.value,
      range: this.range.value,
      brush: this.brush.value,
      mode: this.mode.value,
      error: this.selected.value,
      tab: this.tab.value,
      columns: this.isColumnsChosen ? [...this.columns.value] : null,
    });
    if (search === location.search || this.isFollowing) return;
    history[replace ? "replaceState" : "pushState"](null, "", location.pathname + search);
  }

  toggleColumn(name: string): void {
    const had = this.columns.value;
    this.setColumns(had.includes(name) ? had.filter((each) => each !== name) : [...had, name].slice(-MAX_COLUMNS));
  }

  setColumns(columns: readonly string[]): void {
    this.columns.value = columns;
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
