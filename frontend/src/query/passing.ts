/** A query as a test of rows. Apart from the rest, since the page needs it only when a filter is set. */

import type { Row } from "../wire";
import { wordsOf } from ".";
import { compiled } from "./match";
import { canonical } from "./node";
import { read } from "./syntax";

/** A parsed query. `words` are the texts to highlight. */
export interface Query {
  text: string;
  words: string[];
  matches: (row: Row) => boolean;
}

/** Read a query. Throws QueryError with the place of what is wrong. */
export function parse(text: string): Query {
  const node = read(text);
  return { text: canonical(node), words: wordsOf(node), matches: compiled(node) };
}
