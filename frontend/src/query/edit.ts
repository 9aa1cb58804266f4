/** A query changed by a click on a value: `=` includes it, `≠` excludes it, again takes that back. */

import { allOf, canonical, EVERYTHING, notOf, type Node, type Test } from "./node";
import { read } from "./syntax";

export type Sense = "in" | "out" | null;
type Term = Extract<Node, { kind: "term" }>;

/** The query with only what has this value, beside the values of this name it already includes. */
export function include(query: string, name: string, value: string): string {
  return changed(query, name, value, "in");
}

/** The query without what has this value. */
export function exclude(query: string, name: string, value: string): string {
  return changed(query, name, value, "out");
}

/** Whether the query includes or excludes this value by its name. */
export function sense(query: string, name: string, value: string): Sense {
  const parts = partsOf(read(query));
  if (parts.some((part) => has(termOf(part, name, "in"), value))) return "in";
  return parts.some((part) => has(termOf(part, name, "out"), value)) ? "out" : null;
}

function changed(query: string, name: string, value: string, wanted: "in" | "out"): string {
  const before = sense(query, name, value);
  const parts = partsOf(read(query));
  const without = parts.map((part) => less(less(part, name, value, "in"), name, value, "out"));
  const isLeftOut = wanted === "out" && before === "in" && parts.some((part) => (termOf(part, name, "in")?.tests.length ?? 0) > 1);
  const next = before === wanted || isLeftOut ? without : more(without, name, value, wanted);
  return canonical(allOf(next));
}

function partsOf(node: Node): Node[] {
  return node.kind === "all" ? node.parts : [node];
}

/** The term of this name in a part that asks for nothing else, with this sense. */
function termOf(part: Node, name: string, sense: "in" | "out"): Term | null {
  const node = sense === "in" ? part : part.kind === "not" ? part.part : null;
  return node?.kind === "term" && node.name === name ? node : null;
}

function has(term: Term | null, value: string): boolean {
  return term !== null && term.tests.some((test) => isValue(test, value));
}

function isValue(test: Test, value: string): boolean {
  return test.kind === "equals" && test.text === value;
}

function less(part: Node, name: string, value: string, sense: "in" | "out"): Node {
  const term = termOf(part, name, sense);
  if (!has(term, value)) return part;
  const tests = term!.tests.filter((test) => !isValue(test, value));
  if (tests.length === 0) return EVERYTHING;
  return signed({ ...term!, tests }, sense);
}

/** Add the value to the term that lists others of its name, else a term of its own. */
function more(parts: Node[], name: string, value: string, sense: "in" | "out"): Node[] {
  const test: Test = { kind: "equals", text: value };
  const index = parts.findIndex((part) => termOf(part, name, sense)?.tests.every((one) => one.kind === "equals"));
  const term = index < 0 ? null : termOf(parts[index]!, name, sense);
  if (!term) return [...parts, signed({ kind: "term", name, tests: [test] }, sense)];
  return parts.with(index, signed({ ...term, tests: [...term.tests, test] }, sense));
}

function signed(term: Term, sense: "in" | "out"): Node {
  return sense === "in" ? term : notOf(term);
}
