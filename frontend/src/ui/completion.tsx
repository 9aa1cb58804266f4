/** The list of suggestions below the query bar, and what they are made of. */

import "../styles/suggestions.css";
import type { Signal } from "@preact/signals";
import { suggest, type Suggestion } from "../complete";
import { plain } from "../text";
import { knownTo } from "./counting";
import type { Live } from "./live";
import { Text } from "./value";

export { suggest, taken } from "../complete";
export const LIST_ID = "suggestions";

export function suggestions(live: Live, query: string, caret: number): Suggestion[] {
  return suggest(query, caret, knownTo(live));
}

interface CompletionProps {
  found: readonly Suggestion[];
  active: Signal<number>;
  pick: (suggestion: Suggestion) => void;
}

export function Completion({ found, active, pick }: CompletionProps) {
  return (
    <ul class="sug" id={LIST_ID} role="listbox" aria-label="Suggestions">
      {found.map((each, index) => (
        <li
          role="option"
          id={`${LIST_ID}-${index}`}
          key={each.text}
          class={each.kind}
          aria-selected={index === active.value}
          title={plain(each.shown)}
          onPointerDown={(event) => {
            event.preventDefault(); // the box keeps the focus
            pick(each);
          }}
        >
          <span class="nm u" dir="auto">
            <Text text={each.shown} />
          </span>
          <small>{each.hint}</small>
        </li>
      ))}
      <li class="foot" aria-hidden="true">
        <kbd>↓</kbd> choose <kbd>enter</kbd> take it
      </li>
    </ul>
  );
}
