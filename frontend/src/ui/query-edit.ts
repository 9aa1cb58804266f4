/** A query changed by clicks on values: never raising, whatever stands in the address. */

import * as edit from "../query/edit";
import { tried } from "./query-text";

export { own } from "../query/node";

/** The query with a value included; from an unreadable query nothing is kept. */
export function include(text: string, name: string, value: string): string {
  return tried(() => edit.include(text, name, value), edit.include("", name, value));
}

export function exclude(text: string, name: string, value: string): string {
  return tried(() => edit.exclude(text, name, value), edit.exclude("", name, value));
}

export function sense(text: string, name: string, value: string): edit.Sense {
  return tried(() => edit.sense(text, name, value), null);
}
