/** The keyboard: one table for what keys do and for the help that lists it. */

import { asJson } from "./copy";
import type { Desk } from "./desk";
import type { Live } from "./live";
import { prefer, prefs } from "./prefs";
import { cycleTheme } from "../theme";

interface Key {
  keys: readonly string[];
  shown: readonly string[];
  does: string;
  act(live: Live, event: KeyboardEvent): unknown;
  /** Only for members. */
  writes?: boolean;
}

/** Keys that are no single letter, sign or space: these stay when the others are turned off. */
const ALWAYS = /^.{2,}$/;

export const KEYS: readonly Key[] = [
  { keys: ["/"], shown: ["/"], does: "Filter", act: (live) => live.focusQuery() },
  { keys: [" "], shown: ["space"], does: "Pause or resume", act: (live) => live.togglePause() },
  { keys: ["g"], shown: ["g"], does: "To the newest", act: (live) => live.resume() },
  { keys: ["j", "ArrowDown"], shown: ["j", "↓"], does: "Next (older)", act: (live) => live.move(1) },
  { keys: ["k", "ArrowUp"], shown: ["k", "↑"], does: "Previous (newer)", act: (live) => live.move(-1) },
  { keys: ["Enter", "o"], shown: ["enter", "o"], does: "Open", act: (live) => atList(live, (desk) => desk.enter()) || live.reading.enter() },
  { keys: ["e"], shown: ["e"], does: "Expand, or unfold repeats", act: (live) => live.reading.unfold() },
  { keys: ["Escape"], shown: ["esc"], does: "Close", act: (live) => live.escape() },
  { keys: ["x"], shown: ["x"], does: "Resolve or reopen", act: (live) => live.atDesk((desk) => desk.toggle("resolved")), writes: true },
  { keys: ["i"], shown: ["i"], does: "Ignore or reopen", act: (live) => live.atDesk((desk) => desk.toggle("ignored")), writes: true },
  { keys: ["z"], shown: ["z"], does: "Take that back", act: (live) => live.atDesk((desk) => void desk.undo()), writes: true },
  { keys: ["s"], shown: ["s"], does: "Select an issue", act: (live) => atList(live, (desk) => desk.select()), writes: true },
  { keys: ["J", "K"], shown: ["shift", "j", "k"], does: "Select more issues", act: (live, { key }) => atList(live, (desk) => desk.move(key === "J" ? 1 : -1, true)), writes: true },
  { keys: ["a"], shown: ["a"], does: "Select all or none", act: (live) => atList(live, (desk) => desk.selectAll()), writes: true },
  { keys: ["m"], shown: ["m"], does: "Set a marker", act: (live) => (live.dialog.value = "mark"), writes: true },
  { keys: ["c"], shown: ["c"], does: "Copy as JSON", act: copyJson },
  { keys: ["y"], shown: ["y"], does: "Copy link", act: (live) => void live.copy(location.href, "Link") },
  { keys: ["v"], shown: ["v"], does: "Stream or grouped", act: (live) => live.setMode(live.mode.value === "stream" ? "grouped" : "stream") },
  { keys: ["f"], shown: ["f"], does: "Fields", act: (live) => live.toggleFields() },
  { keys: ["w"], shown: ["w"], does: "Wrap long messages", act: () => prefer({ wraps: !prefs.value.wraps }) },
  { keys: ["p"], shown: ["p"], does: "Pin for everybody, or unpin", act: pin, writes: true },
  { keys: ["W"], shown: ["W"], does: "Wallboard", act: (live) => live.toggleWall() },
  { keys: ["t"], shown: ["t"], does: "Theme", act: (live) => live.say(`Theme: ${cycleTheme()}`) },
  { keys: ["?"], shown: ["?"], does: "These shortcuts", act: (live) => (live.dialog.value = "help") },
];

/** Do something with issues where these are listed; whether they are. */
function atList(live: Live, act: (desk: Desk) => void): boolean {
  const isListed = live.mode.value === "grouped";
  if (isListed) live.atDesk(act);
  return isListed;
}

function pin(live: Live): void {
  const row = live.reading.current;
  if (!row) return;
  if (live.feed.pins.some(({ error }) => error.id === row.id)) void live.unpin(row.id);
  else void live.pin(row.id, "");
}

function copyJson(live: Live): void {
  const row = live.reading.current;
  if (row) void live.copy(asJson(row), "JSON");
}

/** Act on keys that belong to no input, button or dialog. */
export function listen(live: Live): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || live.dialog.value) return;
    const target = event.target as HTMLElement;
    if (target.closest("input, textarea, select, [contenteditable]")) return;
    const isControl = target.closest("button, a, summary") !== null;
    if (isControl && (event.key === " " || event.key === "Enter")) return;
    const key = KEYS.find((each) => each.keys.includes(event.key));
    if (!key || (key.writes && !live.canWrite)) return;
    if (!prefs.value.hasLetterKeys && !ALWAYS.test(event.key)) return;
    if (event.repeat && !["j", "k", "J", "K", "ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    key.act(live, event);
  });
}
