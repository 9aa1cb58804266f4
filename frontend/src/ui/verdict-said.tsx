/** What became of an issue since the newest marker, in one line. */

import type { ComponentChildren } from "preact";
import { verdict, type Fix } from "../fix";
import { exact } from "../time";
import { Text } from "./value";

interface Props {
  fix: Fix;
  /** Errors that came since `fix` was counted. */
  more: number;
  lastSeenAt: number;
  now: number;
  children?: ComponentChildren;
}

export function VerdictSaid({ fix, more, lastSeenAt, now, children }: Props) {
  const { since, before, isQuiet } = verdict(fix, { more, lastSeenAt, now });
  return (
    <div class={`verdict ${isQuiet ? "quiet" : ""}`}>
      {fix.marker && (
        <span title={exact(fix.marker.at)}>
          Since{" "}
          <span class="u" dir="auto">
            <Text text={fix.marker.text} />
          </span>
          :
        </span>
      )}
      <b>{since}</b>
      {before && <span>{before}</span>}
      {children}
    </div>
  );
}
