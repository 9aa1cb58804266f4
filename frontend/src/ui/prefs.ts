/** How a person likes the live view, kept in their browser for all stacks. */

import { signal } from "@preact/signals";
import { setZone, type Zone } from "../time";

export interface Prefs {
  isCompact: boolean;
  wraps: boolean;
  zone: Zone;
  /** Rows tell how long ago, not when. */
  tellsAge: boolean;
  /** Single letters are commands; off for those whose software types letters by itself. */
  hasLetterKeys: boolean;
}

const USUAL: Prefs = { isCompact: false, wraps: false, zone: "local", tellsAge: false, hasLetterKeys: true };
const STORED_AS = "prefs";

export const prefs = signal<Prefs>(stored());
setZone(prefs.value.zone);

export function prefer(change: Partial<Prefs>): void {
  prefs.value = { ...prefs.value, ...change };
  setZone(prefs.value.zone);
  localStorage.setItem(STORED_AS, JSON.stringify(prefs.value));
}

/** What was stored, as far as it makes sense. */
function stored(): Prefs {
  let found: Partial<Prefs>;
  try {
    found = (JSON.parse(localStorage.getItem(STORED_AS) ?? "{}") ?? {}) as Partial<Prefs>;
  } catch {
    found = {};
  }
  const known = { ...USUAL };
  for (const name of ["isCompact", "wraps", "tellsAge", "hasLetterKeys"] as const) {
    if (typeof found[name] === "boolean") known[name] = found[name];
  }
  if (found.zone === "utc") known.zone = "utc";
  return known;
}
