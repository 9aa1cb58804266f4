/** What waits while the list is paused: the way back to the newest. */

import { count, plural, short } from "../text";
import { Icon } from "./icons";
import type { Live } from "./live";

export function Pill({ live, className = "" }: { live: Live; className?: string }) {
  live.painted.value;
  const { waitingCount, waitingSevere } = live.feed.rows;
  if (!live.isPaused.value || waitingCount === 0) return null;
  const severe = waitingSevere > 0 && waitingSevere < waitingCount;
  return (
    <button class={`pill ${className}`} onClick={() => live.resume()} aria-label={`${count(waitingCount)} new: show them`}>
      <Icon name="up" />
      {waitingCount < 10_000 ? count(waitingCount) : short(waitingCount)} new
      {severe && <span class="xn">{plural(waitingSevere, "error")}</span>}
      <kbd class="d-only">g</kbd>
    </button>
  );
}
