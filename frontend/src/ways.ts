/** The ways to send: found by a word, and changed without leaving the page. */

import { draw, replace } from "./fresh";

export function chooseWays(): void {
  const ways = document.getElementById("ways");
  const find = document.getElementById("find") as HTMLInputElement | null;
  if (!ways || !find) return;
  find.parentElement!.hidden = false;
  find.addEventListener("input", () => sift(ways, find.value));
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") ways.querySelector<HTMLElement>("li:not([hidden]) a")?.click();
  });
  ways.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("nav a[href^='?']");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    void show(ways, link);
  });
  ways.addEventListener("change", (event) => {
    const chosen = event.target as HTMLElement;
    if (chosen.matches(".pick select")) chosen.closest("form")!.requestSubmit();
  });
}

/** Show what has every word that is looked for. */
function sift(ways: HTMLElement, text: string): void {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const group of ways.querySelectorAll<HTMLElement>("[data-group]")) {
    const items = [...group.querySelectorAll<HTMLElement>("li")];
    for (const item of items) item.hidden = !words.every((word) => item.dataset.words!.includes(word));
    const shown = items.filter((item) => !item.hidden).length;
    group.hidden = shown === 0;
    found += shown;
  }
  document.getElementById("none")!.hidden = found > 0;
}

async function show(ways: HTMLElement, link: HTMLAnchorElement): Promise<void> {
  for (const each of ways.querySelectorAll("nav [aria-current]")) each.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  const drawn = await draw(link.href, "way").catch(() => null);
  const shown = document.getElementById("way");
  if (!drawn || !shown) return location.assign(link.href);
  replace(shown, drawn);
  history.replaceState(null, "", link.href);
  const snippet = document.querySelector("#way > .snippet")!;
  const { top } = snippet.getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.6) snippet.scrollIntoView({ block: "start" });
}
