/**
 * The list: a window of recycled rows of one height over up to ten thousand items. Imperative on
 * purpose: at 500 errors a second a virtual tree costs twice the main thread (measured).
 * A row element stays with its item while that is in the window; only what changed is written.
 */

import { holds, ticking, times, type ErrorItem, type GapItem, type Item } from "../item";
import { perSecond } from "../text";
import { ago } from "../time";
import type { Row } from "../wire";
import { errorCells, make, restCell, told, toldCells, type Look } from "./row";

const OVERSCAN = 3;
/** A list scrolled less than this far still counts as being at its newest. */
export const TOP_PX = 40;
const NEW_MS = 900;
/** An expanded row is so many lines taller. */
const EXTRA_LINES = 6;
const LINE_PX = 20;

export interface ListEvents {
  open(item: ErrorItem): void;
  gap(item: GapItem): void;
  /** The list was scrolled, by so many pixels from its newest. */
  scrolled(top: number): void;
  /** The oldest row kept is in sight. */
  reachedEnd(): void;
}

/** One recycled row element, and what is written in it. */
interface Slot {
  element: HTMLElement;
  item: Item | null;
  /** What it shows, as one comparable text: when equal, nothing is written. */
  shown: string;
  row: Row | null;
  /** Where it is, in pixels. */
  top: number;
}

export class List {
  private readonly slots = new Map<number, Slot>();
  private readonly spare: Slot[] = [];
  private items: readonly Item[] = [];
  private look: Look = { columns: [], words: [], selected: null, glow: false, now: 0, tellsAge: false, zone: "" };
  private generation = 0;
  private rowPx = 30;
  private headerPx = 0;
  private framed = false;
  private isNarrow = false;
  /** The one row that is expanded, and its place. */
  private expanded: Item | null = null;
  private expandedAt = -1;

  /** `tall` holds the rows at their full height, inside `scroller`, below a header that sticks. */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly tall: HTMLElement,
    private readonly events: ListEvents,
  ) {
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    scroller.addEventListener("click", (event) => this.clicked(event));
    new ResizeObserver(() => this.redraw()).observe(scroller);
  }

  /** Draw the items, given oldest first, newest on top. */
  draw(items: readonly Item[], look: Look): void {
    const before = this.look;
    const { columns, words, tellsAge, zone } = before;
    if (look.columns !== columns || look.words !== words || look.tellsAge !== tellsAge || look.zone !== zone) this.generation += 1;
    this.items = items;
    this.look = look;
    this.place();
  }

  /** Measure the row again (the layout changed) and draw. */
  redraw(): void {
    this.rowPx = parseFloat(getComputedStyle(this.tall).getPropertyValue("--row-px")) || 30;
    this.headerPx = this.tall.offsetTop;
    if (this.isNarrow !== narrow.matches) this.generation += 1;
    this.isNarrow = narrow.matches;
    this.place();
  }

  /** Show all that a row knows below it; again, or of another row: no longer. */
  expand(item: Item): void {
    this.expanded = this.expanded === item ? null : item;
    this.place();
    if (this.expanded) this.reveal(item);
  }

  /** Take the focus when nobody has it, so that screen readers tell which row the keyboard is at. */
  focus(): void {
    if (document.activeElement === document.body) this.scroller.focus({ preventScroll: true });
  }

  toTop(): void {
    this.scroller.scrollTop = 0;
  }

  get top(): number {
    return this.scroller.scrollTop;
  }

  /** Scroll an item into sight, without moving when it is. */
  reveal(item: Item): void {
    const index = this.items.length - 1 - this.items.indexOf(item);
    if (index >= this.items.length) return;
    const [top, bottom] = [this.topOf(index), this.topOf(index + 1)];
    const { scrollTop } = this.scroller;
    const height = this.scroller.clientHeight - this.headerPx;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (bottom > scrollTop + height) this.scroller.scrollTop = bottom - height;
  }

  private scrolled(): void {
    this.events.scrolled(this.scroller.scrollTop);
    if (this.framed) return;
    this.framed = true;
    requestAnimationFrame(() => {
      this.framed = false;
      this.place();
    });
  }

  private clicked(event: Event): void {
    const target = event.target as Element;
    const element = target.closest<HTMLElement>(".row");
    if (getSelection()?.isCollapsed === false) return; // someone marked text to copy it
    const slot = element && this.slots.get(Number(element.dataset.key));
    if (!slot?.item) return;
    if (slot.item.kind === "error") this.events.open(slot.item);
    else if (slot.item.kind === "gap" && target.closest("button")) this.events.gap(slot.item);
  }

  private place(): void {
    const { scrollTop, clientHeight } = this.scroller;
    const total = this.items.length;
    this.expandedAt = this.expanded ? total - 1 - this.items.indexOf(this.expanded) : -1;
    if (this.expandedAt >= total) this.expandedAt = -1;
    const first = Math.max(0, this.indexAt(scrollTop) - OVERSCAN);
    const last = Math.min(total, this.indexAt(scrollTop + clientHeight) + 1 + OVERSCAN);
    this.tall.style.height = `${this.topOf(total)}px`;
    this.retire(first, last);
    for (let index = first; index < last; index++) this.put(this.items[total - 1 - index]!, index);
    this.tidy(last - first);
    if (last >= total && total > 0) this.events.reachedEnd();
  }

  private get extraPx(): number {
    return EXTRA_LINES * LINE_PX;
  }

  private topOf(index: number): number {
    return index * this.rowPx + (this.expandedAt >= 0 && index > this.expandedAt ? this.extraPx : 0);
  }

  private indexAt(px: number): number {
    const index = Math.floor(px / this.rowPx);
    if (this.expandedAt < 0 || index <= this.expandedAt) return index;
    return Math.max(this.expandedAt, Math.floor((px - this.extraPx) / this.rowPx));
  }

  /** Free the slots of items that left the window. */
  private retire(first: number, last: number): void {
    const total = this.items.length;
    const seen = new Set<number>();
    for (let index = first; index < last; index++) seen.add(this.items[total - 1 - index]!.key);
    for (const [key, slot] of this.slots) {
      if (seen.has(key)) continue;
      this.slots.delete(key);
      this.spare.push(slot);
    }
  }

  /** Hide rows that found no new item, and let go of more than a window could need. */
  private tidy(window: number): void {
    while (this.spare.length > window + OVERSCAN) this.spare.pop()?.element.remove();
    for (const slot of this.spare) if (!slot.element.hidden) hide(slot);
  }

  private put(item: Item, index: number): void {
    let slot = this.slots.get(item.key);
    const isNew = !slot;
    if (!slot) {
      slot = this.spare.pop() ?? this.slot();
      slot.element.dataset.key = String(item.key);
      slot.item = item;
      slot.shown = "";
      this.slots.set(item.key, slot);
    }
    const top = this.topOf(index);
    if (slot.top !== top) {
      slot.top = top;
      slot.element.style.transform = `translateY(${top}px)`;
      slot.element.hidden = false;
      slot.element.ariaRowIndex = String(index + 2);
    }
    this.write(slot, item);
    if (isNew && this.look.glow && index < OVERSCAN && item.kind === "error") glow(slot.element);
  }

  private slot(): Slot {
    const element = make("div", "row");
    element.setAttribute("role", "row");
    this.tall.append(element);
    return { element, item: null, shown: "", row: null, top: -1 };
  }

  private write(slot: Slot, item: Item): void {
    if (item.kind !== "error") return this.writeTold(slot, item);
    const isSelected = holds(item, this.look.selected);
    const rate = ticking(item, this.look.now);
    const isExpanded = item === this.expanded;
    const age = this.look.tellsAge ? ago(item.row.at, this.look.now) : "";
    const shown = `${times(item)} ${isSelected} ${isExpanded} ${rate > 1 ? perSecond(rate) : ""} ${this.generation} ${age}`;
    if (slot.shown === shown && slot.row === item.row) return;
    slot.shown = shown;
    slot.row = item.row;
    const { element } = slot;
    element.className = `row l-${item.row.level}${isSelected ? " sel" : ""}${rate > 1 ? " tick" : ""}${isExpanded ? " exp" : ""}`;
    element.ariaSelected = String(isSelected);
    element.id = `r${item.row.id}`;
    element.replaceChildren(...errorCells(item, this.look, this.isNarrow));
    if (isExpanded) element.append(this.rest(item.row));
  }

  private rest(row: Row): HTMLElement {
    const element = restCell(row, this.look.words);
    element.style.height = `${this.extraPx - 8}px`;
    return element;
  }

  private writeTold(slot: Slot, item: Exclude<Item, ErrorItem>): void {
    const text = told(item);
    const shown = `${text} ${item.kind === "gap" ? item.state : ""}`;
    if (slot.shown === shown) return;
    slot.shown = shown;
    slot.row = null;
    slot.element.className = item.kind === "marker" ? "row told mark" : "row told";
    slot.element.id = "";
    slot.element.ariaSelected = "false";
    slot.element.replaceChildren(...toldCells(item));
  }
}

function hide(slot: Slot): void {
  slot.element.hidden = true;
  slot.element.replaceChildren();
  slot.item = null;
  slot.row = null;
  slot.top = -1;
}

const narrow = matchMedia("(max-width: 760px)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

function glow(element: HTMLElement): void {
  if (still.matches) return;
  element.animate([{ backgroundColor: "var(--accent-soft)" }, {}], { duration: NEW_MS, easing: "ease-out" });
}
