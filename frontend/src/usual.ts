/** Columns for a person who has chosen none. */

import { flatten } from "./text";
import type { Row } from "./wire";

const MAX_FIELDS = 40;
const USUAL = [
  "service", "app", "component", "environment", "env", "host", "hostname", "release", "user.id", "user",
  "request.route", "module", "Platform", "logger",
];

/** Two columns that most of these errors fill, for a person who has chosen none. */
export function usualColumns(rows: readonly Row[], limit = 2): string[] {
  const names = new Map<string, number>();
  const sample = rows.slice(-200);
  for (const row of sample) {
    for (const [name] of flatten(row.fields, MAX_FIELDS)) names.set(name, (names.get(name) ?? 0) + 1);
  }
  return USUAL.filter((name) => (names.get(name) ?? 0) * 2 > sample.length).slice(0, limit);
}
