/**
 * The list: a window of recycled rows of one height over up to ten thousand items. Imperative on
 * purpose: at 500 errors a second a virtual tree costs twice the main thread (measured).
 * A row element stays with its item while that is in the window; only what changed is written.
 */

import { holds, ticking, times, type ErrorItem, type GapItem, type Item } from "../item";
import { count, flatten, newWords, oneLine, perSecond, plain, plural, valueAt, valueText } from "../text";
import { ago, clock, day, exact, fraction } from "../time";
import { by } from "../markers";
import type { Fields, Marker, Row } from "../wire";
import { fillText, glimpse } from "./value";

const OVERSCAN = 3;
/** A list scrolled less than this far still counts as being at its newest. */
export const TOP_PX = 40;
const NEW_MS = 900;
const MAX_CELL_CHARS = 300;
/** An expanded row is so many lines taller, and says so much. */
const EXTRA_LINES = 6;
const LINE_PX = 20;
const MAX_EXPANDED_CHARS = 4_000;

export interface Look {
  columns: readonly string[];
  words: readonly string[];
  selected: string | null;
  /** Rows new in this paint may glow: not in a storm, not at the first paint. */
  glow: boolean;
  now: number;
  /** Rows tell how long ago. */
  tellsAge: boolean;
  zone: string;
}

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

/** Fields that say what the row says already, or too much. */
const TOLD_FIELDS: ReadonlySet<string> = new Set([
  "Msg", "msg", "Message", "message", "error", "_msg", "reason", "name", "Type", "type", "level", "levelname",
  "severity", "stack", "StackTrace", "backtrace", "exc_text", "trace", "traceback", "UserAgent", "args",
]);

export class List {
  private readonly slots = new Map<number, Slot>();
  private readonly spare: Slot[] = [];
  private items: readonly Item[] = [];
  private look: Look = { columns: [], words: [], selected: null, glow: false, now: 0, tellsAge: false, zone: "" };
  private undimmed: ReadonlySet<string> = TOLD_FIELDS;
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
    if (look.columns !== before.columns) this.undimmed = new Set([...TOLD_FIELDS, ...look.columns]);
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
    element.replaceChildren(...this.cells(item, rate));
    if (isExpanded) element.append(this.rest(item.row));
  }

  private cells(item: ErrorItem, rate: number): HTMLElement[] {
    const { row } = item;
    const { columns } = this.look;
    const service = cell("svc", columns[0] ? shortValue(row.fields, columns[0]) : oneLine(row.where));
    return [make("span", "bar"), this.time(row), cell("lv", row.level), ...(this.isNarrow ? [service] : []), this.message(item, rate), ...columns.map((name) => {
      const text = shortValue(row.fields, name);
      const element = cell("cl", "");
      fillText(element, text || "–", []);
      if (text.length > 12) element.title = plain(text);
      return element;
    })];
  }

  /** When, or how long ago; the day in place of the milliseconds when it is not today. */
  private time({ at }: Row): HTMLElement {
    const { now, tellsAge } = this.look;
    const date = day(at, now);
    const element = cell("tm", tellsAge ? ago(at, now) : date ? `${date} ${clock(at).slice(0, 5)}` : clock(at));
    element.title = exact(at);
    if (tellsAge || date) return element;
    const millis = make("s");
    millis.textContent = fraction(at);
    element.append(millis);
    return element;
  }

  /** All that the row knows: its title in full and its fields. */
  private rest(row: Row): HTMLElement {
    const element = cell("rest", "");
    element.tabIndex = 0; // it may scroll
    element.style.height = `${this.extraPx - 8}px`;
    const lines = flatten(row.fields).map(([name, value]) => `${name}=${valueText(value)}`);
    fillText(element, [row.title, ...lines].join("\n").slice(0, MAX_EXPANDED_CHARS), this.look.words);
    return element;
  }

  private message(item: ErrorItem, rate: number): HTMLElement {
    const { row } = item;
    const { words } = this.look;
    const element = cell("ms", "");
    if (times(item) > 1) {
      const badge = make("span", "x");
      badge.textContent = `×${count(times(item))}${rate > 1 ? ` · ${perSecond(rate)}/s` : ""}`;
      element.append(badge);
    }
    if (row.new) element.append(newMark(row.new));
    const { type, title } = headline(row);
    if (type) element.append(piece("b", type, words), " ");
    element.append(piece("em", title, words));
    const dim = [row.where, glimpse(row.fields, this.undimmed)].filter(Boolean).join("  ");
    if (dim) element.append(" ", piece("u", dim, words));
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
    slot.element.replaceChildren(make("span", "bar"), item.kind === "marker" ? markerCell(item.marker) : cell("", text));
    if (item.kind === "gap") slot.element.append(gapButton(item.state));
  }
}

function newMark(words: readonly string[]): HTMLElement {
  const mark = make("span", "tag new");
  mark.textContent = "new";
  mark.title = plain(newWords(words).join(", "));
  return mark;
}

/** Words of a row that is no error. */
function told(item: Exclude<Item, ErrorItem>): string {
  if (item.kind === "marker") return `${item.marker.text} · ${by(item.marker)}`;
  if (item.kind === "refused") {
    return `${plural(item.count, "submission")} refused: ${item.reason.replaceAll("-", " ")}`;
  }
  const errors = item.count === null ? "Errors" : plural(item.count, "error");
  return item.state === "partial" ? `${errors} missed here, some of them loaded` : `${errors} missed here`;
}

/** When, what, and who did it: what a stranger may have written is kept apart. */
function markerCell(marker: Marker): HTMLElement {
  const element = cell("", "");
  const text = make("b", "u");
  text.dir = "auto";
  fillText(text, marker.text, []);
  element.append(`${clock(marker.at)} `, text, ` ${by(marker)}`);
  element.title = exact(marker.at);
  return element;
}

function gapButton(state: string): HTMLElement {
  const button = make("button", "btn") as HTMLButtonElement;
  button.textContent = state === "loading" ? "Loading…" : "Load";
  button.disabled = state === "loading";
  return button;
}

/** A row's type and the rest of its title, which often begins with the type. */
export function headline(row: { type: string; title: string }): { type: string; title: string } {
  const type = oneLine(row.type);
  const title = oneLine(row.title);
  const plain = title.replace(/^(?:Uncaught )?(?:\(in promise\) )?/, "");
  if (!type) return { type: "", title };
  if (plain === type) return { type, title: "" };
  return { type, title: plain.startsWith(`${type}: `) ? plain.slice(type.length + 2) : title };
}

function shortValue(fields: Fields, name: string): string {
  const value = valueAt(fields, name);
  return value === undefined || value === null ? "" : oneLine(valueText(value).slice(0, MAX_CELL_CHARS));
}

function piece(tag: string, text: string, words: readonly string[]): HTMLElement {
  const element = make(tag);
  element.dir = "auto";
  fillText(element, oneLine(text.slice(0, MAX_CELL_CHARS)), words);
  return element;
}

function cell(className: string, text: string): HTMLElement {
  const element = make("span", className);
  element.setAttribute("role", "gridcell");
  if (className === "svc") fillText(element, text, []);
  else element.textContent = text;
  return element;
}

function make(tag: string, className = ""): HTMLElement {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
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
