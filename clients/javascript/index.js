import { start } from "./src/core.js";

/** Begins to watch the page. Where there is no page (a server that renders it), does nothing. */
export function init(options) {
  const chosen = Object.assign({}, options);
  if (typeof window === "undefined") return Object.assign(chosen, { submit() {}, log() {} });
  return start(window, chosen);
}
