/**
 * Dark, light or the system's. The choice is kept in a cookie, so that the server writes it into
 * the page and nothing flashes; without one the style sheet follows the system.
 */

export const THEMES = ["auto", "dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

const YEAR_S = 31_536_000;

export function currentTheme(): Theme {
  const named = document.documentElement.dataset.theme as Theme | undefined;
  return named && THEMES.includes(named) ? named : "auto";
}

export function setTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === "auto") delete dataset.theme;
  else dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme === "auto" ? 0 : YEAR_S;
  document.cookie = `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
}

/** The next one: first away from what the system shows, then the other, then back to auto. */
export function cycleTheme(): Theme {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const order: readonly Theme[] = isDark ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
  const next = order[(order.indexOf(currentTheme()) + 1) % order.length]!;
  setTheme(next);
  return next;
}
