/**
 * Parts of a page that renew themselves: the page is asked for again and the part put in its
 * place. What the server draws is drawn once, and without a script it is as new as its last load.
 */

import { dress } from "./common";

/**
 * Ask again for each part that says how often it should be new, in seconds (`data-refresh`), with
 * `data-from` behind the page's path.
 */
export function keepFresh(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-refresh][id]")) {
    const timer = setInterval(() => {
      void renew(part.id).then((goesOn) => goesOn || clearInterval(timer));
    }, Number(part.dataset.refresh) * 1000);
  }
}

/** Put in the part's place what the server draws now. False when there is nothing to be had. */
async function renew(id: string): Promise<boolean> {
  const part = document.getElementById(id);
  if (document.hidden || isInUse(part)) return true;
  try {
    const drawn = await draw(location.pathname + (part?.dataset.from ?? ""), id);
    const shown = document.getElementById(id);
    if (!drawn || !shown) return false;
    if (!isInUse(shown)) replace(shown, drawn);
  } catch {
    // The network is away: what is shown stays, and its times say how old it is.
  }
  return true;
}

/** The element of this id as the page at `path` has it; null where one is sent elsewhere. */
export async function draw(path: string, id: string): Promise<HTMLElement | null> {
  const answer = await fetch(path, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
}

export function replace(shown: HTMLElement, drawn: HTMLElement): void {
  const part = document.adoptNode(drawn);
  shown.replaceWith(part);
  dress(part);
}

/** Whether someone types, chooses or has opened something in it: that must not be taken away. */
function isInUse(part: HTMLElement | null): boolean {
  return part !== null && (part.contains(document.activeElement) || part.querySelector("details[open]") !== null);
}
