/** What could be meant at the caret of a query: fields and values that were seen. It only suggests. */

import { LEVELS } from "./wire";
import { MEANINGS, own } from "./query/node";

/** A field that was seen: in how many errors, and its most frequent values. */
export interface KnownField {
  name: string;
  rows: number;
  values: readonly { value: string; count: number }[];
}

/** `text` takes the place of `from` up to `to`; `hint` says what it is. */
export interface Suggestion {
  from: number;
  to: number;
  text: string;
  shown: string;
  hint: string;
  kind: "field" | "value";
}

export const MAX_SUGGESTIONS = 9;
const BREAK = /[\s()]/;
/** Bare words are looked for among values, too, once they are so long. */
const MIN_WORD_CHARS = 2;
const MAX_OF_VALUES = 4;

/** The piece of the query that is being written: from its last break up to the caret. */
interface Piece {
  from: number;
  text: string;
}

export function suggest(query: string, caret: number, known: readonly KnownField[]): Suggestion[] {
  const piece = pieceAt(query, caret);
  const end = caret + (/^[^\s()",]*/.exec(query.slice(caret))?.[0].length ?? 0);
  const [, quoted, bare, after] = /^(?:"((?:[^"\\]|\\.)*)"|([^"\s:<>]+))(?::|:?[<>]=?)(.*)$/s.exec(piece.text) ?? [];
  const found = after === undefined ? namesFor(piece, end, known) : valuesFor(quoted?.replace(/\\(.)/g, "$1") ?? bare!, piece, after, end, known);
  const typed = query.slice(0, caret);
  return found.filter((each) => each.text !== typed.slice(each.from)).slice(0, MAX_SUGGESTIONS);
}

/** The query with a suggestion taken, and where the caret then is. */
export function taken(query: string, { from, to, text, kind }: Suggestion): { text: string; caret: number } {
  const rest = query.slice(to);
  const space = kind === "value" && !/^[\s),]/.test(rest) ? " " : "";
  return { text: query.slice(0, from) + text + space + rest, caret: from + text.length + space.length };
}

/** Quotes keep spaces together; a minus in front is no part of what is looked for. */
function pieceAt(query: string, caret: number): Piece {
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < caret; at++) {
    const char = query[at]!;
    if (char === "\\" && isQuoted) at++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && BREAK.test(char)) from = at + 1;
  }
  if (query[from] === "-" && from < caret) from++;
  return { from, text: query.slice(from, caret) };
}

function namesFor(piece: Piece, to: number, known: readonly KnownField[]): Suggestion[] {
  const wanted = piece.text.replace(/^"/, "").toLowerCase();
  const fields = withMeanings(known)
    .filter((field) => field.name.toLowerCase().includes(wanted))
    .sort((a, b) => begins(b.name, wanted) - begins(a.name, wanted) || b.rows - a.rows);
  const names = fields.map((field): Suggestion => {
    const text = `${quotedName(field.name)}:`;
    return { from: piece.from, to, text, shown: field.name, hint: field.rows > 0 ? `in ${field.rows}` : "field", kind: "field" };
  });
  if (wanted.length < MIN_WORD_CHARS) return names;
  return [...names.slice(0, MAX_SUGGESTIONS - MAX_OF_VALUES), ...ofValues(wanted, piece, to, known), ...names.slice(MAX_SUGGESTIONS - MAX_OF_VALUES)];
}

/** Values of any field that begin with the word: `chec` may mean `service:checkout`. */
function ofValues(wanted: string, piece: Piece, to: number, known: readonly KnownField[]): Suggestion[] {
  const found = known.flatMap(({ name, values }) =>
    values.filter(({ value }) => value.toLowerCase().startsWith(wanted)).map(({ value, count }) => ({ name, value, count })),
  );
  return found
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_OF_VALUES)
    .map(({ name, value, count }) => {
      const text = `${quotedName(name)}:${quotedValue(value)}`;
      return { from: piece.from, to, text, shown: `${name}: ${value}`, hint: String(count), kind: "value" };
    });
}

function valuesFor(name: string, piece: Piece, after: string, to: number, known: readonly KnownField[]): Suggestion[] {
  const begun = after.slice(lastComma(after) + 1);
  const wanted = begun.replace(/^"/, "").toLowerCase();
  const from = piece.from + piece.text.length - begun.length;
  const field = known.find((each) => asked(each.name) === name || each.name === name);
  const values = name === "level" ? levels(field) : (field?.values ?? []);
  const found = values
    .filter(({ value }) => value.toLowerCase().includes(wanted))
    .sort((a, b) => begins(b.value, wanted) - begins(a.value, wanted) || b.count - a.count)
    .map(({ value, count }): Suggestion => ({ from, to, text: quotedValue(value), shown: value, hint: count > 0 ? String(count) : "", kind: "value" }));
  if (begun === "" && name !== "level") found.splice(MAX_SUGGESTIONS - 1, Infinity, { from, to, text: "*", shown: "*", hint: "has this field", kind: "value" });
  return found;
}

function lastComma(text: string): number {
  let isQuoted = false;
  let last = -1;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\" && isQuoted) at++;
    else if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === "," && !isQuoted) last = at;
  }
  return last;
}

/** Level and type are the errors' own, as the facets have them; other fields of such a name are the senders'. */
function asked(name: string): string {
  return name === "level" || name === "type" ? name : own(name);
}

function withMeanings(known: readonly KnownField[]): { name: string; rows: number }[] {
  const names = new Map<string, number>(MEANINGS.map((name) => [name, 0]));
  for (const { name, rows } of known) names.set(asked(name), rows);
  return [...names].map(([name, rows]) => ({ name, rows }));
}

function levels(field: KnownField | undefined): { value: string; count: number }[] {
  return LEVELS.map((value) => ({ value, count: field?.values.find((each) => each.value === value)?.count ?? 0 }));
}

function begins(text: string, wanted: string): number {
  return Number(text.toLowerCase().startsWith(wanted));
}

function quotedName(name: string): string {
  return /^(?!-)[^\s()":<>*]+$/.test(name) ? name : quote(name);
}

function quotedValue(value: string): string {
  return /^(?![<>]|\/\/)[^\s()",*]+$/.test(value) && !/^-?[0-9.]+\.\.-?[0-9.]+$/.test(value) ? value : quote(value);
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
