/** What every page's script does: theme, copy buttons, local times. */

import { ago } from "./ago";
import { copyText } from "./clipboard";
import { cycleTheme } from "./theme";

const SAID_MS = 1_600;
const AGES_MS = 20_000;

export function ready(): void {
  addEventListener("click", clicked);
  dress(document);
  setInterval(() => document.querySelectorAll<HTMLTimeElement>("time[data-ago]").forEach(age), AGES_MS);
}

/** Do for what the server drew what only a script can: show copy buttons, tell local times. */
export function dress(part: ParentNode): void {
  for (const button of part.querySelectorAll<HTMLElement>("[data-theme-toggle], [data-copy]")) button.hidden = false;
  for (const time of part.querySelectorAll<HTMLTimeElement>("time[data-exact], time[data-ago], time.tm")) localise(time);
}

function age(time: HTMLTimeElement): void {
  time.textContent = ago(Date.parse(time.dateTime), Date.now());
}

function clicked(event: Event): void {
  const target = event.target as Element;
  const button = target.closest<HTMLElement>("[data-theme-toggle], [data-copy]");
  if (button?.dataset.copy) void copy(button, button.dataset.copy);
  else if (button) button.title = `Theme: ${cycleTheme()}`;
  closeMenus(target);
}

/** Menus are details elements: a click elsewhere closes them. */
function closeMenus(target: Element): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
}

async function copy(button: HTMLElement, id: string): Promise<void> {
  const label = button.lastChild;
  const words = label?.textContent ?? "";
  const isCopied = await copyText(document.getElementById(id)?.textContent ?? "");
  const said = isCopied ? "Copied" : "Not allowed";
  if (!label || words === said) return;
  label.textContent = said;
  setTimeout(() => (label.textContent = words), SAID_MS);
}

/** The server writes its clock in UTC; a reader's own is what they know. */
function localise(time: HTMLTimeElement): void {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const clock = at.toLocaleTimeString("en-GB");
  const whole = `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })}, ${clock}`;
  time.title = time.dataset.exact === undefined ? whole : time.dateTime;
  if (time.dataset.exact !== undefined) time.textContent = whole;
  else if (time.classList.contains("tm")) time.firstChild!.textContent = clock;
}
