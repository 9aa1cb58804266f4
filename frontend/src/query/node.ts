/**
 * A parsed query as a tree, and its canonical text. `errorstack_live/query/node.py` is the same in
 * Python; `tests/query/cases.json` holds the two together.
 */

import { LEVELS } from "../wire";

export type Operator = ">" | ">=" | "<" | "<=";

export type Test =
  | { kind: "equals"; text: string }
  | { kind: "like"; pattern: string }
  | { kind: "compare"; operator: Operator; number: string }
  | { kind: "range"; low: string; high: string }
  | { kind: "present" };

/** `words`: text that must occur, `*` any text in a pattern. `term`: a value passes one of the tests. */
export type Node =
  | { kind: "words"; text: string; isPattern: boolean }
  | { kind: "term"; name: string; tests: Test[] }
  | { kind: "all"; parts: Node[] }
  | { kind: "some"; parts: Node[] }
  | { kind: "not"; part: Node };

/** Names that mean the error's own properties; `fields.level` is a sender's field. */
export const MEANINGS = ["level", "type", "title", "where", "issue", "id", "_new"] as const;
export type Meaning = (typeof MEANINGS)[number];

export const EVERYTHING: Node = { kind: "all", parts: [] };
const NOTHING: Node = { kind: "not", part: { kind: "words", text: "*", isPattern: true } };
const SENDER_PREFIX = "fields.";

export function isMeaning(name: string): name is Meaning {
  return (MEANINGS as readonly string[]).includes(name);
}

/** The name in a query of a sender's own field, which may be called like a meaning. */
export function own(field: string): string {
  return isMeaning(field) || field.startsWith(SENDER_PREFIX) ? SENDER_PREFIX + field : field;
}

/** The sender's field that a name in a query (not a meaning) stands for. */
export function fieldOf(name: string): string {
  return name.startsWith(SENDER_PREFIX) ? name.slice(SENDER_PREFIX.length) : name;
}

export function allOf(parts: Node[]): Node {
  const flat = parts.flatMap((part) => (part.kind === "all" ? part.parts : [part]));
  if (flat.length === 0) return EVERYTHING;
  return flat.length === 1 ? flat[0]! : { kind: "all", parts: flat };
}

export function someOf(parts: Node[]): Node {
  if (parts.includes(EVERYTHING)) return EVERYTHING;
  const flat = parts.flatMap((part) => (part.kind === "some" ? part.parts : [part]));
  return flat.length === 1 ? flat[0]! : { kind: "some", parts: flat };
}

export function notOf(part: Node): Node {
  if (part === EVERYTHING) return NOTHING;
  if (part === NOTHING) return EVERYTHING;
  return part.kind === "not" ? part.part : { kind: "not", part };
}

const WORDS: Record<(typeof LEVELS)[number], string> = {
  fatal: "fatal critical crit emergency emerg alert panic",
  error: "error err exception severe failure",
  warning: "warning warn",
  info: "info information informational notice log",
  debug: "debug trace verbose fine finer finest silly",
};
/** Every word for a level that is understood, lower-case. */
export const LEVEL_WORDS = new Map(LEVELS.flatMap((level) => WORDS[level].split(" ").map((word) => [word, level])));

const BARE_WORD = /^(?!-)(?!(?:AND|OR|NOT)$)[^\s()":<>*]+$/;
const BARE_NAME = /^(?!-)[^\s()":<>*]+$/;
const BARE_VALUE = /^(?![<>]|\/\/)[^\s()",*]+$/;
const BARE_RANGE = /^-?[0-9.]+\.\.-?[0-9.]+$/;

/** The text that parses to this tree and is the same for every spelling of it. */
export function canonical(node: Node): string {
  switch (node.kind) {
    case "all":
      return node.parts.map((part) => inner(part, ["some"])).join(" ");
    case "some":
      return node.parts.map(canonical).join(" OR ");
    case "not":
      return `-${inner(node.part, ["all", "some"])}`;
    case "words":
      return node.isPattern ? node.text : quoted(node.text, BARE_WORD);
    case "term":
      return quoted(node.name, BARE_NAME) + values(node.tests);
  }
}

function inner(node: Node, bracketed: Node["kind"][]): string {
  const text = canonical(node);
  return bracketed.includes(node.kind) ? `(${text})` : text;
}

function values(tests: Test[]): string {
  const only = tests.length === 1 ? tests[0] : undefined;
  return only?.kind === "compare" ? only.operator + only.number : `:${tests.map(valueText).join(",")}`;
}

function valueText(test: Test): string {
  switch (test.kind) {
    case "present":
      return "*";
    case "like":
      return test.pattern;
    case "range":
      return `${test.low}..${test.high}`;
    case "compare":
      return test.operator + test.number;
    case "equals":
      return BARE_RANGE.test(test.text) ? `"${test.text}"` : quoted(test.text, BARE_VALUE);
  }
}

function quoted(text: string, bare: RegExp): string {
  return bare.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
