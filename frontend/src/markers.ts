/** Markers that the page knows: what was done, and when. */

import type { Marker } from "./wire";

/** More are not drawn; the oldest go. */
const MAX_MARKERS = 500;

export class Markers {
  /** Newest first. */
  all: readonly Marker[] = [];

  replace(markers: readonly Marker[]): void {
    this.all = sorted(markers);
  }

  /** One was set, or taken back. */
  apply(marker: Marker): void {
    const others = this.all.filter((each) => each.id !== marker.id);
    this.all = marker.removed ? others : sorted([...others, marker]);
  }

  get newest(): Marker | null {
    return this.all[0] ?? null;
  }

  /** Those in a stretch of time, oldest first. */
  between(from: number, to: number): Marker[] {
    return this.all.filter(({ at }) => at >= from && at < to).reverse();
  }
}

/** Who set it, as far as everybody may know. */
export function by(marker: Marker): string {
  return { member: "by a member", token: "by a program", key: "with the stack key" }[marker.origin];
}

function sorted(markers: readonly Marker[]): Marker[] {
  return markers.filter((marker) => !marker.removed).sort((a, b) => b.at - a.at).slice(0, MAX_MARKERS);
}
