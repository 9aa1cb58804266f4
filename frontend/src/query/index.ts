/** The one language for filtering errors (`docs/query-language.md`), as the page uses it at once: all but matching. */

import type { Node } from "./node";
import { segments } from "./segment";
import { read } from "./syntax";

export { MAX_QUERY_CHARS, MAX_TERMS, place, QueryError, spans, type Span, type SpanKind } from "./syntax";

/** The texts to highlight: what bare words and phrases look for, folded. Throws QueryError with the place of what is wrong. */
export function words(text: string): string[] {
  return wordsOf(read(text));
}

export function wordsOf(node: Node): string[] {
  if (node.kind === "words") return segments(node.text, node.isPattern);
  return node.kind === "all" || node.kind === "some" ? [...new Set(node.parts.flatMap(wordsOf))] : [];
}
