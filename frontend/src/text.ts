/**
 * Words and numbers for people, and the safe showing of what strangers sent: text is split into
 * parts, so that control and direction characters become visible marks instead of acting.
 */

import type { Fields, Json } from "./wire";
import { stringify } from "./wire";

export { ago, clock, day, fraction } from "./time";

/** Values longer than this are cut, with "more". */
export const MAX_VALUE_CHARS = 2_048;

/** `mark`: a searched word. `control`: a character that would act unseen; `text` names it. */
export interface Part {
  kind: "plain" | "mark" | "control";
  text: string;
}

// C0 and C1 but tab and line ends, soft hyphen, direction marks and overrides, invisible
// operators, byte order mark, lone surrogates, tags. Joiners stay: emoji and scripts need them.
const ACTING =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** Split text into plain parts, marks around the words looked for, and named control characters. */
export function parts(text: string, words: readonly string[] = []): Part[] {
  const found: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(ACTING)) {
    found.push(...marked(text.slice(from, match.index), words));
    found.push({ kind: "control", text: name(match[0]) });
    from = match.index + match[0].length;
  }
  found.push(...marked(text.slice(from), words));
  return found;
}

/** The same for an attribute or the page's title: text alone. */
export function plain(text: string): string {
  return text.replace(ACTING, (character) => `⟨${name(character)}⟩`);
}

/** `U+202E` for a right-to-left override. */
function name(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}

function marked(text: string, words: readonly string[]): Part[] {
  if (text === "") return [];
  const pattern = wordPattern(words);
  if (!pattern) return [{ kind: "plain", text }];
  return text
    .split(pattern)
    .map((piece, index): Part => ({ kind: index % 2 ? "mark" : "plain", text: piece }))
    .filter((part) => part.text !== "");
}

let lastWords: readonly string[] = [];
let lastPattern: RegExp | null = null;

function wordPattern(words: readonly string[]): RegExp | null {
  if (words === lastWords) return lastPattern;
  const escaped = words.filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  lastWords = words;
  lastPattern = escaped.length > 0 ? new RegExp(`(${escaped.join("|")})`, "gi") : null;
  return lastPattern;
}

/** One line of a text: line ends and tabs become a visible sign. */
export function oneLine(text: string): string {
  return text.replace(/\s*\r?\n\s*/g, " ⏎ ").replace(/\t/g, " ");
}

/** The address when a whole value is an http or https link, else null. */
export function link(text: string): string | null {
  if (!/^https?:\/\/\S+$/i.test(text) || text.length > MAX_VALUE_CHARS) return null;
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A value as one piece of text: text as it is, the rest as JSON. */
export function valueText(value: Json): string {
  return typeof value === "object" ? stringify(value) : String(value);
}

/** Nested objects as dotted names with the values at their ends, in the order sent. */
export function flatten(fields: Fields, limit = 1_000): [name: string, value: Json][] {
  const found: [string, Json][] = [];
  const walk = (value: Json, path: string): void => {
    if (found.length >= limit) return;
    if (isObject(value) && Object.keys(value).length > 0) {
      for (const [key, inner] of Object.entries(value)) walk(inner, path === "" ? key : `${path}.${key}`);
    } else {
      found.push([path, value]);
    }
  };
  walk(fields, "");
  return Object.keys(fields).length > 0 ? found : [];
}

/** The value at a name: a field of exactly this name, else a path into nested ones. */
export function valueAt(fields: Fields, path: string): Json | undefined {
  if (Object.hasOwn(fields, path)) return fields[path];
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const head = path.slice(0, dot);
    const inner = Object.hasOwn(fields, head) ? fields[head] : undefined;
    if (inner !== undefined && isObject(inner)) return valueAt(inner, path.slice(dot + 1));
  }
  return undefined;
}

export function isObject(value: Json): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What `new` says, for people: `issue`, `field plan`, `release 2.4.1`. */
export function newWords(words: readonly string[]): string[] {
  return words.map((word) => {
    const [kind, rest] = [word.slice(0, word.indexOf(":")), word.slice(word.indexOf(":") + 1)];
    if (kind === "field") return `field ${rest}`;
    return kind === "value" ? rest.replace("=", " ") : "first of its issue";
  });
}

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value: number): string {
  return WHOLE.format(value);
}

/** `1 error`, `2 errors`. */
export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

/** Short forms for badges: 999, 1.2k, 34k, 5.6M. */
export function short(value: number): string {
  if (value < 1_000) return String(value);
  const [size, unit] = value < 1_000_000 ? [value / 1_000, "k"] : [value / 1_000_000, "M"];
  return `${size < 10 ? Math.floor(size * 10) / 10 : Math.floor(size)}${unit}`;
}

export function perSecond(rate: number): string {
  return rate === 0 || rate >= 9.95 ? count(rate) : rate.toFixed(1);
}
