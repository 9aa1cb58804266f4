/** The box of the query: over its own highlighted copy, with suggestions. The last good filter stays while typing. */

import { effect, useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Suggestion } from "../complete";
import { Found } from "./found";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Completion } from "./parts";
import { check, pieces } from "./query-text";

const TYPING_MS = 350;
const LIST_ID = "suggestions";
const NONE: readonly Suggestion[] = [];

export function QueryInput({ live }: { live: Live }) {
  const draft = useSignal(live.query.value);
  const input = useRef<HTMLInputElement>(null);
  const copy = useRef<HTMLDivElement>(null);
  const timer = useRef(0);
  const completing = useCompleting(live, draft, input);
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
  completing.typed = typed;
  const key = (event: KeyboardEvent) => {
    if (completing.key(event)) event.preventDefault();
    else if (event.key === "Enter") (completing.close(), apply(), event.preventDefault());
    else if (event.key === "Escape") (input.current?.blur(), event.preventDefault());
  };
  const { problem } = live;
  const isOpen = completing.found.value.length > 0;
  return (
    <div class={`qin ${problem.value ? "bad" : ""}`} onClick={(event) => event.target === event.currentTarget && input.current?.focus()}>
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
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={isOpen}
          aria-controls={isOpen ? LIST_ID : undefined}
          aria-activedescendant={isOpen && completing.active.value >= 0 ? `${LIST_ID}-${completing.active.value}` : undefined}
          aria-invalid={problem.value !== null}
          aria-describedby={problem.value ? "query-problem" : undefined}
          placeholder="Filter: level:error -service:search timeout"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          enterkeyhint="search"
          maxLength={2_000}
          onInput={(event) => (typed(event.currentTarget.value), completing.look())}
          onFocus={() => live.fields.load()}
          onScroll={scroll}
          onKeyDown={key}
          onBlur={() => (completing.close(), apply())}
        />
      </span>
      <Found live={live} />
      {draft.value !== "" && (
        <button class="btn q" aria-label="Clear the filter" onClick={() => (typed(""), apply())}>
          <Icon name="close" />
        </button>
      )}
      <kbd class="d-only" aria-hidden="true">
        /
      </kbd>
      {isOpen && <Completion found={completing.found.value} active={completing.active} pick={completing.pick} />}
      {problem.value && !isOpen && (
        <span class="qwrong" id="query-problem" role="alert">
          <b>{problem.value.message}</b> at character {problem.value.at + 1}
        </span>
      )}
    </div>
  );
}

/** Suggestions as they are asked for, chosen and taken. Their code comes with the first letter. */
function useCompleting(live: Live, draft: Signal<string>, input: { current: HTMLInputElement | null }) {
  const found = useSignal(NONE);
  const active = useSignal(-1);
  const verbs = useRef({
    found,
    active,
    typed: (_text: string) => {},
    close() {
      this.looks++;
      found.value = NONE;
      active.value = -1;
    },
    looks: 0,
    look() {
      const look = ++this.looks;
      void import("./menus").then(({ suggestions }) => {
        const box = input.current;
        if (look !== this.looks || !box || document.activeElement !== box) return; // the first may come last
        active.value = -1;
        found.value = suggestions(live, draft.value, box.selectionStart ?? draft.value.length);
      }, () => {}); // without suggestions one can still type
    },
    pick(suggestion: Suggestion) {
      void import("./menus").then(({ taken }) => {
        const next = taken(draft.value, suggestion);
        this.typed(next.text);
        requestAnimationFrame(() => input.current?.setSelectionRange(next.caret, next.caret));
        if (suggestion.kind === "field") requestAnimationFrame(() => this.look());
        else this.close();
      });
    },
    /** Whether the key was for the suggestions. */
    key({ key, altKey }: KeyboardEvent): boolean {
      const size = found.value.length;
      if (key === "ArrowDown" && size === 0) return (this.look(), true);
      if (size === 0 || altKey) return false;
      if (key === "ArrowDown" || key === "ArrowUp") {
        const by = key === "ArrowDown" ? 1 : -1;
        active.value = ((active.value + 1 + by + size + 1) % (size + 1)) - 1;
        return true;
      }
      if (key === "Escape") return (this.close(), true);
      const chosen = found.value[active.value];
      if ((key !== "Enter" && key !== "Tab") || !chosen) return false; // it suggests, no more
      this.pick(chosen);
      return true;
    },
  });
  verbs.current.pick = verbs.current.pick.bind(verbs.current);
  return verbs.current;
}
