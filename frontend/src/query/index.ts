/** The one language for filtering errors (`docs/query-language.md`), as the page uses it. */

import type { Row } from "../wire";
import { compiled, segments, type Predicate } from "./match";
import { canonical, type Node } from "./node";
import { read } from "./syntax";

export { exclude, include, sense, type Sense } from "./edit";
export { own } from "./node";
export { MAX_QUERY_CHARS, MAX_TERMS, place, QueryError, spans, type Span, type SpanKind } from "./syntax";

/** A parsed query. `words` are the texts to highlight: what bare words and phrases look for, folded. */
export interface Query {
  text: string;
  words: string[];
  matches: (row: Row) => boolean;
}

/** Read a query. Throws QueryError with the place of what is wrong. */
export function parse(text: string): Query {
  const node = read(text);
  let predicate: Predicate | null = null;
  return {
    text: canonical(node),
    words: wordsOf(node),
    matches: (row) => (predicate ??= compiled(node))(row),
  };
}

/** The texts to highlight, without what it takes to match rows. Throws QueryError. */
export function words(text: string): string[] {
  return wordsOf(read(text));
}

function wordsOf(node: Node): string[] {
  if (node.kind === "words") return segments(node.text, node.isPattern);
  return node.kind === "all" || node.kind === "some" ? [...new Set(node.parts.flatMap(wordsOf))] : [];
}
