/** The query bar: an input over its own highlighted copy. The last good filter stays while typing. */

import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { count } from "../text";
import { Icon } from "./icons";
import type { Live } from "./live";
import { check, pieces } from "./query-text";

const TYPING_MS = 350;

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
      <PauseButton live={live} />
    </div>
  );
}

function PauseButton({ live }: { live: Live }) {
  const isPaused = live.isPaused.value;
  return (
    <button class={`btn ${isPaused ? "paused" : "live"}`} onClick={() => live.togglePause()}>
      <Icon name={isPaused ? "play" : "pause"} />
      <span class="tx">{isPaused ? "Resume" : "Pause"}</span>
      <kbd class="d-only" aria-hidden="true">
        space
      </kbd>
    </button>
  );
}

function QueryInput({ live }: { live: Live }) {
  const draft = useSignal(live.query.value);
  const input = useRef<HTMLInputElement>(null);
  const copy = useRef<HTMLDivElement>(null);
  const timer = useRef(0);
  useEffect(() => {
    live.focusQuery = () => {
      input.current?.focus();
      input.current?.select();
    };
    // A filter set elsewhere (a clicked value, the address) is written into the box.
    return effect(() => {
      const query = live.query.value;
      if (query !== draft.peek().trim()) draft.value = query;
    });
  }, [live, draft]);

  const scroll = () => {
    if (copy.current && input.current) copy.current.scrollLeft = input.current.scrollLeft;
  };
  const apply = () => {
    clearTimeout(timer.current);
    const wrong = check(draft.value);
    live.problem.value = wrong;
    if (!wrong) live.setQuery(draft.value);
  };
  const typed = (text: string) => {
    draft.value = text;
    live.problem.value = null;
    clearTimeout(timer.current);
    timer.current = window.setTimeout(apply, TYPING_MS);
    requestAnimationFrame(scroll);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter") apply();
    else if (event.key === "Escape") input.current?.blur();
    else return;
    event.preventDefault();
  };
  const { problem } = live;
  return (
    <label class={`qin ${problem.value ? "bad" : ""}`}>
      <Icon name="search" />
      <span class="qtext">
        <div class="qcopy" ref={copy} aria-hidden="true">
          {pieces(draft.value, problem.value?.at ?? null).map(({ kind, text }) => (
            <span class={kind}>{text}</span>
          ))}
        </div>
        <input
          ref={input}
          value={draft.value}
          aria-label="Filter"
          aria-invalid={problem.value !== null}
          aria-describedby={problem.value ? "query-problem" : undefined}
          placeholder="Filter: level:error -service:search timeout"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          enterkeyhint="search"
          maxLength={2_000}
          onInput={(event) => typed(event.currentTarget.value)}
          onScroll={scroll}
          onKeyDown={key}
          onBlur={apply}
        />
      </span>
      <Found live={live} />
      {draft.value !== "" && (
        <button class="btn q" aria-label="Clear the filter" onClick={() => (typed(""), apply())}>
          <Icon name="close" />
        </button>
      )}
      <kbd class="d-only">/</kbd>
      {problem.value && (
        <span class="qwrong" id="query-problem" role="alert">
          <b>{problem.value.message}</b> at character {problem.value.at + 1}
        </span>
      )}
    </label>
  );
}

/** How many errors the list holds of the filter. */
function Found({ live }: { live: Live }) {
  live.painted.value;
  if (live.query.value === "" || !live.feed.ready) return null;
  const { kept, complete } = live.feed.rows;
  return <span class="cnt">{live.settled.value ? `${count(kept)}${complete ? "" : "+"} found` : "…"}</span>;
}
