/** What stands in a row of the list, made without a virtual tree. */

import { ticking, times, type ErrorItem, type Item } from "../item";
import { by } from "../markers";
import { count, flatten, newWords, oneLine, perSecond, plain, plural, valueAt, valueText } from "../text";
import { ago, clock, day, exact, fraction } from "../time";
import type { Fields, Marker, Row } from "../wire";
import { fillText, glimpse } from "./value";

const MAX_CELL_CHARS = 300;
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

/** Fields that say what the row says already, or too much. */
const TOLD_FIELDS: ReadonlySet<string> = new Set([
  "Msg", "msg", "Message", "message", "error", "_msg", "reason", "name", "Type", "type", "level", "levelname",
  "severity", "stack", "StackTrace", "backtrace", "exc_text", "trace", "traceback", "UserAgent", "args",
]);

/** The cells of an error; on a narrow page the first column stands above the message. */
export function errorCells(item: ErrorItem, look: Look, isNarrow: boolean): HTMLElement[] {
  const { row } = item;
  const [first] = look.columns;
  const columns = look.columns.map((name) => {
    const text = shortValue(row.fields, name);
    const element = cell("cl", "");
    fillText(element, text || "–", []);
    if (text.length > 12) element.title = plain(text);
    return element;
  });
  const before = [time(row, look), cell("lv", row.level)];
  if (isNarrow) before.push(cell("svc", first ? shortValue(row.fields, first) : oneLine(row.where)));
  return [...before, message(item, look), ...columns];
}

/** When, or how long ago; the day in place of the milliseconds when it is not today. */
function time({ at }: Row, { now, tellsAge }: Look): HTMLElement {
  const date = day(at, now);
  const element = cell("tm", tellsAge ? ago(at, now) : date ? `${date} ${clock(at).slice(0, 5)}` : clock(at));
  element.title = exact(at);
  if (tellsAge || date) return element;
  const millis = make("s");
  millis.textContent = fraction(at);
  element.append(millis);
  return element;
}

function message(item: ErrorItem, { words, columns, now }: Look): HTMLElement {
  const { row } = item;
  const rate = ticking(item, now);
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
  const dim = [row.where, glimpse(row.fields, undimmed(columns))].filter(Boolean).join("  ");
  if (dim) element.append(" ", piece("u", dim, words));
  return element;
}

function newMark(words: readonly string[]): HTMLElement {
  const mark = make("span", "tag new");
  mark.textContent = "new";
  mark.title = plain(newWords(words).join(", "));
  return mark;
}

let shownBeside: { columns: readonly string[]; names: ReadonlySet<string> } = { columns: [], names: TOLD_FIELDS };

/** Fields that need not be told dimly: they are columns, or told already. */
function undimmed(columns: readonly string[]): ReadonlySet<string> {
  if (shownBeside.columns !== columns) shownBeside = { columns, names: new Set([...TOLD_FIELDS, ...columns]) };
  return shownBeside.names;
}

/** All that a row knows: its title in full and its fields. */
export function restCell(row: Row, words: readonly string[]): HTMLElement {
  const element = cell("rest", "");
  element.tabIndex = 0; // it may scroll
  const lines = flatten(row.fields).map(([name, value]) => `${name}=${valueText(value)}`);
  fillText(element, [row.title, ...lines].join("\n").slice(0, MAX_EXPANDED_CHARS), words);
  return element;
}

type Told = Exclude<Item, ErrorItem>;

/** The cells of a row that is no error. */
export function toldCells(item: Told): HTMLElement[] {
  const words = item.kind === "marker" ? markerCell(item.marker) : cell("", told(item));
  return item.kind === "gap" ? [words, gapButton(item.state)] : [words];
}

/** Words of a row that is no error. */
export function told(item: Told): string {
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

export function make(tag: string, className = ""): HTMLElement {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}
