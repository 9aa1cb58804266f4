/** Who watches now, in words and initials. */

import type { Presence } from "./wire";

export type Company = Omit<Presence, "type">;

/** Two letters of an e-mail address (or a program's name): of its first two words, or its first. */
export function initials(email: string): string {
  const words = email.split("@")[0]!.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => [...word][0]) : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}

/** People: each member once, however many views they have open, and everybody else by their views. */
export function people({ viewers, members }: Company): number {
  return members.length + anonymous({ viewers, members, links: [] });
}

/** Views that nobody can be named for: terminals, and whoever came by a link that is not told of. */
export function anonymous({ viewers, members, links }: Company): number {
  const named = [...members, ...links].reduce((all, each) => all + each.viewers, 0);
  return Math.max(0, viewers - named);
}
