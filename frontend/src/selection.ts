/** Which rows of a list are selected, by keyboard as by mouse. */

export type Selected = ReadonlySet<string>;

export const NOTHING: Selected = new Set();

/** Select a row, or no longer. */
export function toggle(selected: Selected, id: string): Selected {
  const next = new Set(selected);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** Select every row from one to another, both included, in the order of the list. */
export function extend(selected: Selected, ids: readonly string[], from: string, to: string): Selected {
  const [one, other] = [ids.indexOf(from), ids.indexOf(to)];
  if (one < 0 || other < 0) return toggle(selected, to);
  return new Set([...selected, ...ids.slice(Math.min(one, other), Math.max(one, other) + 1)]);
}

/** All of them, or none when all are. */
export function all(selected: Selected, ids: readonly string[]): Selected {
  return ids.every((id) => selected.has(id)) ? NOTHING : new Set(ids);
}

/** What of it is still listed. */
export function kept(selected: Selected, ids: readonly string[]): Selected {
  const left = ids.filter((id) => selected.has(id));
  return left.length === selected.size ? selected : new Set(left);
}
