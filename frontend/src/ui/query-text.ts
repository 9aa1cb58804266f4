/** The query language as the page's parts use it: never raising, whatever stands in the address. */

import * as query from "../query";

export interface Wrong {
  message: string;
  at: number;
}

/** A stretch of the query's text and how it is coloured. */
export interface Piece {
  kind: string;
  text: string;
}

const NONE: readonly string[] = [];
let known = { text: "", words: NONE };

/** The words to mark where they are found. The same array for the same text. */
export function wordsOf(text: string): readonly string[] {
  if (text !== known.text) known = { text, words: tried(() => query.words(text), NONE) };
  return known.words;
}

export function check(text: string): Wrong | null {
  const { wrong } = query.spans(text);
  return wrong && { message: wrong.message, at: wrong.at };
}

/** The text in coloured pieces; what is wrong is marked from its place to the next space. */
export function pieces(text: string, wrongAt: number | null): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const { kind, start, end } of query.spans(text).spans) {
    if (start < from) continue;
    found.push({ kind: "", text: text.slice(from, start) }, { kind: `q-${kind}`, text: text.slice(start, end) });
    from = end;
  }
  found.push({ kind: "", text: text.slice(from) });
  return underlined(found.filter((piece) => piece.text !== ""), text, wrongAt);
}

function underlined(found: Piece[], text: string, wrongAt: number | null): Piece[] {
  if (wrongAt === null) return found;
  const ends = text.slice(wrongAt + 1).search(/\s/);
  const until = ends < 0 ? text.length : wrongAt + 1 + ends;
  let at = 0;
  return found.flatMap((piece) => {
    const start = at;
    at += piece.text.length;
    const [low, high] = [Math.max(start, wrongAt), Math.min(at, until)];
    if (low >= high) return [piece];
    return [
      { kind: piece.kind, text: text.slice(start, low) },
      { kind: `${piece.kind} wrong`, text: text.slice(low, high) },
      { kind: piece.kind, text: text.slice(high, at) },
    ].filter((each) => each.text !== "");
  });
}

/** The place in JavaScript's units that the server counted in characters. */
export function placeOf(text: string, serverAt: number): number {
  return query.place(text, serverAt);
}

/** What an unreadable query has instead. */
export function tried<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof query.QueryError) return otherwise;
    throw error;
  }
}
