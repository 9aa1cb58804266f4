/** What the live view adds to the top bar: who watches, the bell, the wallboard, and sharing. */

import { people } from "../presence";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Company } from "./parts";

export function Tools({ live }: { live: Live }) {
  live.painted.value;
  const armed = live.trapping.armed.value;
  const rung = live.trapping.rung.value;
  return (
    <>
      {people(live.feed.company) > 1 && <Company live={live} />}
      <button class={`btn q bell ${rung ? "rung" : ""}`} aria-label={armed ? `Traps, ${armed} set` : "Traps"} title="Tell me when …" onClick={() => (live.dialog.value = "traps")}>
        <Icon name="bell" />
        {armed > 0 && <span class="n">{armed}</span>}
      </button>
      <button class="btn q d-only" aria-label="Wallboard" title="Wallboard (W)" onClick={() => live.toggleWall()}>
        <Icon name="wall" />
      </button>
      {live.canWrite && (
        <button class="btn" onClick={() => (live.dialog.value = "share")}>
          <Icon name="link" />
          <span class="tx">Share view</span>
        </button>
      )}
    </>
  );
}
