/** The error that is read: where the keyboard is in the list, what is open, and whole when loaded. */

import { batch, signal } from "@preact/signals";
import type { WholeError } from "../api";
import { holds, times } from "../item";
import { plural } from "../text";
import type { Row } from "../wire";
import type { Live } from "./live";

export class Reading {
  readonly whole = signal<WholeError | null>(null);
  readonly problem = signal("");

  constructor(private readonly live: Live) {}

  /** The opened error: whole as soon as it is loaded, before that what the list has. */
  get opened(): WholeError | Row | null {
    return this.known(this.live.selected.value);
  }

  /** The error that keys act on. */
  get current(): WholeError | Row | null {
    return this.known(this.live.at.value);
  }

  open(id: string): void {
    const { live } = this;
    const wasOpen = live.selected.value !== null;
    batch(() => {
      live.at.value = id;
      live.selected.value = id;
      this.problem.value = "";
    });
    live.pause("row");
    live.chosen.write(wasOpen);
    void this.load(id);
    live.connection.paintNow();
  }

  close(): void {
    const { live } = this;
    if (live.at.value === null) return;
    batch(() => {
      live.at.value = null;
      live.selected.value = null;
      this.whole.value = null;
    });
    live.chosen.write(true);
    live.rowLeft();
    live.connection.paintNow();
  }

  /** Go `by` rows down (older); when an error is open, the one that is reached opens. */
  move(by: number): void {
    const { live } = this;
    const { items } = live.feed.rows;
    let at = items.findIndex((item) => item.kind === "error" && holds(item, live.at.value));
    at = at < 0 ? items.length - 1 : at - by;
    while (items[at] && items[at]!.kind !== "error") at -= Math.sign(by) || 1;
    const next = items[at];
    if (next?.kind !== "error") return;
    if (live.selected.value !== null) this.open(next.row.id);
    else this.stay(next.row.id);
    live.list?.reveal(next);
    live.list?.focus();
  }

  /** Open the row the keyboard is at, or the newest. */
  enter(): void {
    const { at } = this.live;
    if (at.value === null) this.move(1);
    if (at.value !== null) this.open(at.value);
  }

  /** Lay the repeats of a folded row out again; expand any other row in its place. */
  unfold(): void {
    const { live } = this;
    if (live.at.value === null) this.move(1);
    const item = live.at.value === null ? undefined : live.feed.rows.find(live.at.value);
    if (!item) return;
    if (times(item) < 2) live.list?.expand(item);
    else if (item.folded.length === 0) live.say(`${plural(item.unsent, "repeat")} counted, not sent: filter by issue to list them`);
    live.feed.rows.unfold(item);
    live.connection.paintNow();
  }

  async load(id: string): Promise<void> {
    const { selected } = this.live;
    try {
      const whole = await this.live.api.error(id);
      if (selected.value === id) this.whole.value = whole;
    } catch (error) {
      if (selected.value === id) this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  private known(id: string | null): WholeError | Row | null {
    if (id === null) return null;
    if (this.whole.value?.id === id) return this.whole.value;
    const item = this.live.feed.rows.find(id);
    if (!item || item.row.id === id) return item?.row ?? null;
    return item.folded.find((row) => row.id === id) ?? null;
  }

  /** Be at a row without opening it. */
  private stay(id: string): void {
    this.live.at.value = id;
    this.live.pause("row");
    this.live.connection.paintNow();
  }
}
