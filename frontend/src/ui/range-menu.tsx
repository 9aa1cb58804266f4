/** The range of time: the usual ones that move with the clock, or from a moment to a moment. */

import "../styles/pop.css";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ANY, charted, LONGEST_MS, USUAL, type Range } from "../range";
import { fromShown, shown } from "../time";
import { Icon } from "./icons";
import type { Live } from "./live";

export function RangeMenu({ live, close }: { live: Live; close: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector<HTMLElement>("[aria-checked=true]")?.focus(), []);
  const choose = (range: Range) => () => {
    live.setRange(range);
    close();
  };
  const choices: [string, Range][] = [["Any time, live", ANY], ...USUAL.map(([ms, words]): [string, Range] => [`Last ${words}`, { kind: "last", ms }])];
  const chosen = JSON.stringify(live.range.value);
  const step = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || (event.target as Element).matches("input")) return;
    event.preventDefault();
    const all = [...box.current!.querySelectorAll<HTMLElement>("[role=menuitemradio]")];
    all.at((all.indexOf(document.activeElement as HTMLElement) + by) % all.length)?.focus();
  };
  return (
    <div class="pop" ref={box} onKeyDown={step}>
      <div role="menu" aria-label="Range of time">
        {choices.map(([words, range]) => {
          const isChosen = JSON.stringify(range) === chosen;
          return (
            <button role="menuitemradio" aria-checked={isChosen} key={words} onClick={choose(range)}>
              {words}
              {isChosen && <Icon name="check" />}
            </button>
          );
        })}
      </div>
      <Between live={live} close={close} />
    </div>
  );
}

/** `2026-11-25T14:29:05`, as a box for date and time wants it. */
function written(at: number): string {
  return shown(at).toISOString().slice(0, 19);
}

function read(text: string): number | null {
  const at = Date.parse(`${text}${text.length === 16 ? ":00" : ""}Z`);
  return Number.isNaN(at) ? null : fromShown(at);
}

function Between({ live, close }: { live: Live; close: () => void }) {
  const { from, to } = charted(live.range.value, live.feed.serverNow());
  const first = useSignal(written(from));
  const last = useSignal(live.range.value.kind === "between" && live.range.value.to !== null ? written(to) : "");
  const wrong = useSignal("");
  const apply = (event: Event) => {
    event.preventDefault();
    const [start, end] = [read(first.value), last.value === "" ? null : read(last.value)];
    if (start === null) wrong.value = "From when?";
    else if (end !== null && end <= start) wrong.value = "It ends before it begins.";
    else if ((end ?? live.feed.serverNow()) - start > LONGEST_MS) wrong.value = "At most 92 days.";
    else {
      live.setRange({ kind: "between", from: start, to: end });
      close();
    }
  };
  return (
    <form onSubmit={apply}>
      <label>
        From
        <input type="datetime-local" step={1} value={first.value} onInput={(event) => (first.value = event.currentTarget.value)} />
      </label>
      <label>
        To <small>empty: until now, live</small>
        <input type="datetime-local" step={1} value={last.value} onInput={(event) => (last.value = event.currentTarget.value)} />
      </label>
      {wrong.value && <p role="alert">{wrong.value}</p>}
      <button class="btn p">Show</button>
    </form>
  );
}
