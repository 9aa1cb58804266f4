/** The query bar: what is looked for, how it is listed, over which time. */

import { rangeWords } from "../range";
import { Icon } from "./icons";
import type { Live } from "./live";
import { RangeMenu } from "./parts";
import { Popover } from "./popover";
import { QueryInput } from "./query-input";

export function QueryBar({ live }: { live: Live }) {
  return (
    <div class="qbar" role="search">
      <QueryInput live={live} />
      <div class="seg" role="group" aria-label="How errors are listed">
        <button aria-pressed={live.mode.value === "stream"} onClick={() => live.setMode("stream")}>
          <Icon name="stream" />
          Stream
        </button>
        <button aria-pressed={live.mode.value === "grouped"} onClick={() => live.setMode("grouped")}>
          <Icon name="issues" />
          Grouped
        </button>
      </div>
      <RangeButton live={live} />
      <PauseButton live={live} />
    </div>
  );
}

function RangeButton({ live }: { live: Live }) {
  const words = rangeWords(live.range.value, live.feed.serverNow());
  const button = (
    <>
      <Icon name="clock" />
      <span class="tx">{words}</span>
      <Icon name="down" />
    </>
  );
  return (
    <Popover className="btn" label={`Range of time: ${words}`} button={button}>
      {(close) => <RangeMenu live={live} close={close} />}
    </Popover>
  );
}

/** Three states: live, paused (loud), history. */
function PauseButton({ live }: { live: Live }) {
  live.range.value;
  live.brush.value;
  const isPaused = live.isPaused.value;
  const isPast = live.feed.isPast;
  const [look, icon, words] = isPast ? (["back", "play", "Go live"] as const) : isPaused ? (["paused", "play", "Resume"] as const) : (["live", "pause", "Pause"] as const);
  return (
    <button class={`btn ${look}`} onClick={() => live.togglePause()}>
      <Icon name={icon} />
      <span class="tx">{words}</span>
      <kbd class="d-only" aria-hidden="true">
        space
      </kbd>
    </button>
  );
}
