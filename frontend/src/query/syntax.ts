/**
 * A query's text to its tree, and to spans for the box that highlights it. The grammar, its limits
 * and its messages are those of `errorstack_live/query/syntax.py`; `docs/query-language.md` explains it.
 */

import { LEVELS } from "../wire";
import { allOf, EVERYTHING, LEVEL_WORDS, notOf, someOf, type Node, type Operator, type Test } from "./node";

export const MAX_QUERY_CHARS = 2_000;
export const MAX_TERMS = 50;
const MAX_BRACKETS = 20;
const MAX_WILDCARDS = 8;

export type SpanKind = "field" | "operator" | "value" | "negation" | "word" | "phrase" | "keyword" | "bracket";

/** Part of a query's text, from `start` up to `end`. */
export interface Span {
  kind: SpanKind;
  start: number;
  end: number;
}

/** A text that is no query; `at` is the place, in JavaScript's units, of the first thing that is wrong. */
export class QueryError extends Error {
  constructor(message: string, readonly at: number) {
    super(message);
  }
}

const BREAK = ' \\t\\r\\n\\f\\v\\u00a0()"';
const SPACE = /[ \t\r\n\f\v\u00a0]*/y;
const KEYWORD = new RegExp(`(?:AND|OR|NOT)(?=[${BREAK}]|$)`, "y");
const ADDRESS = new RegExp(`[A-Za-z][A-Za-z0-9+.-]*://[^${BREAK}]*`, "y");
const NAME = new RegExp(`[^${BREAK}:<>]+(?=[:<>])`, "y");
const WORD = new RegExp(`[^${BREAK}]+`, "y");
const OPERATOR = /:?(?:>=|<=|>|<)|:/y;
const ITEM = new RegExp(`[^${BREAK},]+`, "y");
const NUMBER = "-?[0-9]{1,15}(?:\\.[0-9]{1,15})?";
const IS_NUMBER = new RegExp(`^${NUMBER}$`);
const RANGE = new RegExp(`^(${NUMBER})\\.\\.(${NUMBER})$`);

/** Read a query's text; an empty one matches everything. Throws QueryError. */
export function read(text: string): Node {
  return new Reader(text).query();
}

/** The spans of a text as far as it is a query, and what is wrong with the rest. */
export function spans(text: string): { spans: Span[]; wrong: QueryError | null } {
  const reader = new Reader(text);
  try {
    reader.query();
  } catch (error) {
    if (error instanceof QueryError) return { spans: reader.spans, wrong: error };
    throw error;
  }
  return { spans: reader.spans, wrong: null };
}

/** Where in JavaScript's text the server's offset is: it counts characters beyond U+FFFF once. */
export function place(text: string, serverOffset: number): number {
  return [...text].slice(0, serverOffset).join("").length;
}

class Reader {
  readonly spans: Span[] = [];
  private at = 0;
  private termCount = 0;
  private openBrackets = 0;

  constructor(private readonly text: string) {}

  query(): Node {
    if (this.text.length > MAX_QUERY_CHARS && [...this.text].length > MAX_QUERY_CHARS) {
      throw new QueryError(`A query has at most ${MAX_QUERY_CHARS} characters`, place(this.text, MAX_QUERY_CHARS));
    }
    this.take(SPACE);
    if (this.isEnd()) return EVERYTHING;
    const node = this.some();
    if (!this.isEnd()) throw this.wrong("There is no ( for this )");
    return node;
  }

  private some(): Node {
    const parts = [this.all()];
    while (this.takesKeyword("OR")) parts.push(this.all());
    return someOf(parts);
  }

  private all(): Node {
    const parts = [this.one()];
    while (!this.isClosing()) {
      this.takesKeyword("AND");
      parts.push(this.one());
    }
    return allOf(parts);
  }

  private isClosing(): boolean {
    this.take(SPACE);
    return this.isEnd() || this.next() === ")" || this.keyword() === "OR";
  }

  private one(): Node {
    this.take(SPACE);
    let isNegated = false;
    while (this.takesMinus()) isNegated = !isNegated;
    const node = this.operand();
    return isNegated ? notOf(node) : node;
  }

  private takesMinus(): boolean {
    const following = this.text.slice(this.at, this.at + 2);
    if (!/^-[^ \t\r\n\f\v\u00a0)]/.test(following)) return this.takesKeyword("NOT");
    this.mark("negation", this.at++);
    return true;
  }

  private operand(): Node {
    if (this.isEnd() || this.next() === ")" || this.keyword()) throw this.wrong("Something to look for is missing here");
    if (this.next() === "(") return this.bracketed();
    return this.next() === '"' ? this.quotedOperand() : this.bareOperand();
  }

  private bracketed(): Node {
    const start = this.at;
    if (++this.openBrackets > MAX_BRACKETS) throw this.wrong(`At most ${MAX_BRACKETS} brackets can be open at once`);
    this.mark("bracket", this.at++);
    const node = this.some();
    if (this.isEnd()) throw this.wrong("This bracket is not closed", start);
    this.mark("bracket", this.at++);
    this.openBrackets--;
    this.requireBreak();
    return node;
  }

  private quotedOperand(): Node {
    const start = this.at;
    const text = this.quoted();
    if (this.sees(OPERATOR)) return this.term(text, start);
    if (text === "") throw this.wrong("There is no text in these quotes", start);
    this.countTerm(start);
    this.mark("phrase", start);
    this.requireBreak();
    return { kind: "words", text, isPattern: false };
  }

  private bareOperand(): Node {
    const start = this.at;
    if (!this.sees(ADDRESS)) {
      const name = this.take(NAME);
      if (name.includes("*")) throw this.wrong("A name has no wildcards", start + name.indexOf("*"));
      if (name) return this.term(name, start);
      if (this.sees(OPERATOR)) throw this.wrong("A name is missing here; text with : < > goes in quotes");
    }
    const text = oneStar(this.take(WORD));
    this.countTerm(start);
    this.countWildcards(text, start);
    this.mark("word", start);
    this.requireBreak();
    return text === "*" ? EVERYTHING : { kind: "words", text, isPattern: text.includes("*") };
  }

  private term(name: string, start: number): Node {
    this.mark("field", start);
    const from = this.at;
    const operator = this.take(OPERATOR).replace(/^:/, "") as Operator | "";
    this.mark("operator", from);
    const known = name.replaceAll("\0", "\u2400");
    const tests = operator ? this.compared(known, operator) : this.values(known);
    this.requireBreak();
    return { kind: "term", name: known, tests };
  }

  private compared(name: string, operator: Operator): Test[] {
    const start = this.at;
    this.countTerm(start);
    const item = this.take(ITEM);
    const level = name === "level" ? LEVEL_WORDS.get(item.toLowerCase()) : undefined;
    if (!level && !IS_NUMBER.test(item)) throw this.wrong(`A number is missing after ${operator}`, start);
    this.mark("value", start);
    return level ? levels(operator, level) : [{ kind: "compare", operator, number: item }];
  }

  private values(name: string): Test[] {
    const tests = new Map<string, Test>();
    do {
      const test = this.value(name);
      tests.set(JSON.stringify(test), test);
    } while (this.takesComma());
    return [...tests.values()];
  }

  private takesComma(): boolean {
    if (this.next() !== ",") return false;
    this.mark("operator", this.at++);
    return true;
  }

  private value(name: string): Test {
    const start = this.at;
    this.countTerm(start);
    const isQuoted = this.next() === '"';
    const item = isQuoted ? this.quoted() : this.take(ITEM);
    if (!item && !isQuoted) throw this.wrong(`A value is missing after ${name}; text with : goes in quotes`);
    this.mark("value", start);
    const level = name === "level" ? LEVEL_WORDS.get(item.toLowerCase()) : undefined;
    return isQuoted || level ? { kind: "equals", text: level ?? item } : this.bareValue(item, start);
  }

  private bareValue(item: string, start: number): Test {
    if (/^\*+$/.test(item)) return { kind: "present" };
    if (item.includes("*")) {
      this.countWildcards(item, start);
      return { kind: "like", pattern: oneStar(item) };
    }
    const [, low, high] = RANGE.exec(item) ?? [];
    return low && high ? { kind: "range", low, high } : { kind: "equals", text: item };
  }

  /** By hand: a pattern for this would try every split of a row of backslashes. */
  private quoted(): string {
    let text = "";
    for (let at = this.at + 1; at < this.text.length; at++) {
      const char = this.text[at]!;
      if (char === '"') {
        this.at = at + 1;
        return text;
      }
      const isEscape = char === "\\" && /["\\]/.test(this.text[at + 1] ?? "");
      text += isEscape ? this.text[++at] : char;
    }
    throw this.wrong("This quote is not closed");
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  private sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  private keyword(): string {
    KEYWORD.lastIndex = this.at;
    return KEYWORD.exec(this.text)?.[0] ?? "";
  }

  private takesKeyword(word: string): boolean {
    this.take(SPACE);
    if (this.keyword() !== word) return false;
    const start = this.at;
    this.at += word.length;
    this.mark("keyword", start);
    this.take(SPACE);
    return true;
  }

  private next(): string {
    return this.text.charAt(this.at);
  }

  private isEnd(): boolean {
    return this.at >= this.text.length;
  }

  private mark(kind: SpanKind, start: number): void {
    this.spans.push({ kind, start, end: Math.max(this.at, start + 1) });
  }

  private requireBreak(): void {
    const next = this.next();
    if (next && '"(,'.includes(next)) throw this.wrong(`A space is missing before ${next}`);
  }

  private countTerm(at: number): void {
    if (++this.termCount > MAX_TERMS) throw this.wrong(`A query has at most ${MAX_TERMS} terms`, at);
  }

  private countWildcards(text: string, at: number): void {
    if (text.split("*").length - 1 > MAX_WILDCARDS) throw this.wrong(`A text has at most ${MAX_WILDCARDS} wildcards`, at);
  }

  private wrong(message: string, at = this.at): QueryError {
    return new QueryError(message, at);
  }
}

/** The levels on one side of a level: `level>=warning` is warning and worse. */
function levels(operator: Operator, level: (typeof LEVELS)[number]): Test[] {
  const at = LEVELS.indexOf(level);
  const isChosen = (index: number) =>
    (operator.startsWith(">") ? index < at : index > at) || (operator.endsWith("=") && index === at);
  const chosen: string[] = LEVELS.filter((_, index) => isChosen(index));
  return (chosen.length ? chosen : [""]).map((text) => ({ kind: "equals", text }));
}

function oneStar(text: string): string {
  return text.replace(/\*+/g, "*");
}
