/** The live view's entry: takes over what the server drew once the first snapshot is here. */

import { effect } from "@preact/signals";
import { render } from "preact";
import { ready } from "./common";
import { App } from "./ui/app";
import { listen } from "./ui/keys";
import type { Boot } from "./ui/boot";
import { Live } from "./ui/live";
import { bringAhead } from "./ui/parts";
import { Tools } from "./ui/tools";

/** The server's rows stay until the snapshot replaces them without a flicker, or so long. */
const TAKE_OVER_MS = 1_200;

function begin(): void {
  const element = document.getElementById("live");
  const boot = document.getElementById("boot");
  if (!element || !boot?.textContent) return;
  const live = new Live(JSON.parse(boot.textContent) as Boot);
  const tools = document.getElementById("tools");
  let isDrawn = false;
  const draw = () => {
    if (isDrawn) return;
    isDrawn = true;
    element.replaceChildren();
    render(<App live={live} />, element);
    if (tools) render(<Tools live={live} />, tools);
    bringAhead();
  };
  effect(() => {
    if (live.painted.value > 0 && live.feed.ready) queueMicrotask(draw);
  });
  setTimeout(draw, TAKE_OVER_MS);
  live.begin();
  listen(live);
}

ready();
if (document.getElementById("issue-boot")) void import("./issue"); // whoever reads an issue has the rest already
else begin();
