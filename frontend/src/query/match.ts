/**
 * A query's tree to a function that says whether a row matches it, as the server's predicate does.
 * A list's row has its fields cut to about 4 KB: for what is past that, the server knows better.
 */

import type { Fields, Json, Row } from "../wire";
import { fold, segments } from "./segment";
import { fieldOf, isMeaning, type Meaning, type Node, type Operator, type Test } from "./node";

export type Predicate = (row: Row) => boolean;
type Check = (value: Json) => boolean;
type Order = (order: number) => boolean;

const MAX_SEARCH_CHARS = 16_384;
/** The server's patterns step through no longer text (`MAX_STEPPED_CHARS` in pattern.py). */
const TOO_LONG = /^[\s\S]{65535}/u;
const MAX_PATH_PARTS = 33;
const NUMBER = /^-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?$/;
const NUMERIC = /^(-?)([0-9]{1,15})(?:\.([0-9]{1,15}))?$/;

const ORDERS: Record<Operator, Order> = {
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
};

export function compiled(node: Node): Predicate {
  switch (node.kind) {
    case "words":
      return words(segments(node.text, node.isPattern));
    case "term":
      return term(node.name, node.tests);
    case "not": {
      const inner = compiled(node.part);
      return (row) => !inner(row);
    }
    case "all": {
      const parts = node.parts.map(compiled);
      return (row) => parts.every((part) => part(row));
    }
    case "some": {
      const parts = node.parts.map(compiled);
      return (row) => parts.some((part) => part(row));
    }
  }
}

function words(segments: string[]): Predicate {
  return (row) => {
    const text = searchText(row);
    let at = 0;
    return segments.every((segment) => {
      const found = text.indexOf(segment, at);
      at = found + segment.length;
      return found >= 0;
    });
  };
}

const searched = new WeakMap<Row, string>();

function searchText(row: Row): string {
  let text = searched.get(row);
  if (text === undefined) {
    text = fold([row.title, ...texts(row.fields)].join("\n")).slice(0, MAX_SEARCH_CHARS);
    searched.set(row, text);
  }
  return text;
}

function texts(value: Json): string[] {
  if (typeof value === "string") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}

function term(name: string, tests: Test[]): Predicate {
  const simple = tests.filter((test) => test.kind !== "range");
  const parts = simple.length ? [reaching(name, simple)] : [];
  for (const test of tests) if (test.kind === "range") parts.push(range(name, test.low, test.high));
  return (row) => parts.some((part) => part(row));
}

/** Two elements of one list may keep the two sides, as in the server's filter. */
function range(name: string, low: string, high: string): Predicate {
  const above = reaching(name, [{ kind: "compare", operator: ">=", number: low }]);
  const below = reaching(name, [{ kind: "compare", operator: "<=", number: high }]);
  return (row) => above(row) && below(row);
}

function reaching(name: string, tests: Test[]): Predicate {
  const checks = tests.map((test) => check(test, isMeaning(name)));
  const passes: Check = (value) => checks.some((one) => one(value));
  if (name === "_new") return (row) => (row.new ?? []).some(passes); // the only one of several values
  if (isMeaning(name)) return (row) => passes(row[name as Exclude<Meaning, "_new">]);
  const field = fieldOf(name);
  const steps = path(field);
  if (steps?.length === 1) return (row) => Object.hasOwn(row.fields, field) && leaves(row.fields[field]!).some(passes);
  return (row) => reached(row.fields, field, steps).some(passes);
}

/** The steps a dotted name spells; null where it is only a name. */
function path(name: string): string[] | null {
  const parts = name.split(".");
  const isPath = parts.length <= MAX_PATH_PARTS && parts.every((part) => part !== "" && !part.startsWith("$"));
  return isPath ? parts : null;
}

function reached(fields: Fields, name: string, steps: string[] | null): Json[] {
  const literal = Object.hasOwn(fields, name) ? leaves(fields[name]!) : [];
  return steps ? [...literal, ...walked(fields, steps)] : literal;
}

function leaves(value: Json): Json[] {
  return Array.isArray(value) ? [...value, value] : [value];
}

/** What MongoDB's path reaches: through objects, and lists of objects, by name or place. */
function walked(value: Json, steps: string[]): Json[] {
  const [step, ...rest] = steps;
  if (step === undefined) return leaves(value);
  if (Array.isArray(value)) return value.flatMap((item, index) => inList(item, index, steps));
  if (value === null || typeof value !== "object" || !Object.hasOwn(value, step)) return [];
  return walked(value[step]!, rest);
}

function inList(item: Json, index: number, steps: string[]): Json[] {
  const isObject = item !== null && typeof item === "object" && !Array.isArray(item);
  const byName = isObject ? walked(item, steps) : [];
  if (String(index) !== steps[0]) return byName;
  return [...byName, ...(steps.length > 1 ? walked(item, steps.slice(1)) : [item])];
}

function check(test: Test, isOfMeaning: boolean): Check {
  switch (test.kind) {
    case "equals":
      return equals(test.text);
    case "like":
      return like(test.pattern);
    case "compare":
      return compares(ORDERS[test.operator], test.number);
    case "present":
      return (value) => !isOfMeaning || value !== "";
    case "range":
      throw new TypeError("a range is two comparisons");
  }
}

const CONSTANTS: Record<string, Json> = { true: true, false: false, null: null };

/** A text equals itself and the number, true, false or null it spells: 5 equals 5.0, not true. */
function equals(text: string): Check {
  const spelled = Object.hasOwn(CONSTANTS, text) ? CONSTANTS[text] : NUMBER.test(text) ? number(text) : text;
  if (typeof spelled !== "number" && typeof spelled !== "bigint") return (value) => value === text || value === spelled;
  // Loosely, since 5n == 5 exactly.
  return (value) => value === text || ((typeof value === "number" || typeof value === "bigint") && value == spelled);
}

function number(text: string): number | bigint {
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(Number(text)) ? BigInt(text) : Number(text);
}

function compares(isSo: Order, limit: string): Check {
  const than = decimal(limit) ?? decimal("0")!; // "-0" is a limit, but no number in a field
  const thanNumber = Number(limit);
  return (value) => {
    if (typeof value === "number" || typeof value === "bigint") return isSo(value < thanNumber ? -1 : value > thanNumber ? 1 : 0);
    const given = typeof value === "string" ? decimal(value) : null;
    return given !== null && isSo(compareDecimals(given, than));
  };
}

interface Decimal {
  sign: 1 | -1;
  digits: string;
  fraction: string;
}

/** A text that spells a number, without zeros that say nothing. */
function decimal(text: string): Decimal | null {
  const [, minus, whole, after = ""] = NUMERIC.exec(text) ?? [];
  if (whole === undefined) return null;
  const digits = whole.replace(/^0+/, "");
  const fraction = after.replace(/0+$/, "");
  return minus && !digits && !fraction ? null : { sign: minus ? -1 : 1, digits, fraction };
}

/** Digit by digit, as on paper: doubles would lose the last ones. */
function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.sign !== b.sign) return a.sign;
  const length = a.digits.length - b.digits.length;
  const [one, other] = [`${a.digits}.${a.fraction}`, `${b.digits}.${b.fraction}`];
  return a.sign * (length || (one < other ? -1 : one > other ? 1 : 0));
}

/** `*` is any text; a letter is itself in both cases, where each is one character. */
function like(pattern: string): Check {
  const [start = "", ...rest] = pattern.split("*");
  const end = rest.pop() ?? "";
  const first = new RegExp(`^${anyCase(start)}`, "u");
  const last = new RegExp(`${anyCase(end)}$`, "u");
  const middle = rest.filter(Boolean).map((text) => new RegExp(anyCase(text), "gu"));
  const isStepped = [start, ...rest, end].filter(Boolean).length > 1;
  return (value) => {
    if (typeof value !== "string" || (isStepped && TOO_LONG.test(value))) return false;
    let at = first.exec(value)?.[0].length ?? -1;
    for (const one of middle) at = at < 0 ? -1 : after(one, value, at);
    return at >= 0 && last.test(value.slice(at));
  };
}

/** Where the first occurrence at or after `from` ends, or -1. */
function after(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

function anyCase(text: string): string {
  return [...text].map(caseClass).join("");
}

function caseClass(char: string): string {
  const cases = new Set([char, char.toLowerCase(), char.toUpperCase()].filter((one) => [...one].length === 1));
  return cases.size > 1 ? `[${[...cases].join("")}]` : char.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
