/** How a person likes the live view, kept in their browser for all stacks. */

import { signal } from "@preact/signals";
import { setZone, type Zone } from "../time";

export interface Prefs {
  isCompact: boolean;
  wraps: boolean;
  zone: Zone;
  /** Rows tell how long ago, not when. */
  tellsAge: boolean;
  /** Single letters are commands; off for those whose software types letters by itself. The
   *  account page sets it, too: it is in a cookie, which the server writes into the page. */
  hasLetterKeys: boolean;
  /** How wide the panel is; null: as it comes. */
  panelPx: number | null;
}

const USUAL: Prefs = { isCompact: false, wraps: false, zone: "local", tellsAge: false, hasLetterKeys: true, panelPx: null };
const STORED_AS = "prefs";
const YEAR_S = 31_536_000;

export const prefs = signal<Prefs>(stored());
setZone(prefs.value.zone);

export function prefer(change: Partial<Prefs>): void {
  prefs.value = { ...prefs.value, ...change };
  setZone(prefs.value.zone);
  localStorage.setItem(STORED_AS, JSON.stringify(prefs.value));
  if (change.hasLetterKeys !== undefined) keepLetterKeys(change.hasLetterKeys);
}

function keepLetterKeys(areOn: boolean): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `keys=off; Path=/; Max-Age=${areOn ? 0 : YEAR_S}; SameSite=Lax${secure}`;
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
  for (const name of ["isCompact", "wraps", "tellsAge"] as const) {
    if (typeof found[name] === "boolean") known[name] = found[name];
  }
  if (typeof found.panelPx === "number" && found.panelPx > 0) known.panelPx = found.panelPx;
  if (found.zone === "utc") known.zone = "utc";
  if (document.documentElement.dataset.keys === "off") known.hasLetterKeys = false;
  return known;
}
