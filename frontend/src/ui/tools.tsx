/** What the live view adds to the top bar: who watches, and sharing. */

import { count } from "../text";
import { Icon } from "./icons";
import type { Live } from "./live";

export function Tools({ live }: { live: Live }) {
  live.painted.value;
  const { viewers } = live.feed;
  return (
    <>
      {viewers > 1 && (
        <span class="who">
          <Icon name="eye" />
          {count(viewers)} watching
        </span>
      )}
      {live.canWrite && (
        <button class="btn" onClick={() => (live.dialog.value = "share")}>
          <Icon name="link" />
          <span class="tx">Share view</span>
        </button>
      )}
    </>
  );
}
