/** The entry of every page but the live view and the set-up page. */

import { ready } from "./common";
import { keepFresh } from "./fresh";

ready();
keepFresh();
for (const button of document.querySelectorAll<HTMLElement>("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
document.querySelector(".sectioned .side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
