/** What the live view adds to the top bar: who watches, and sharing. */

import { plural } from "../text";
import { Icon } from "./icons";
import type { Live } from "./live";

export function Tools({ live }: { live: Live }) {
  live.painted.value;
  const { viewers } = live.feed;
  return (
    <>
      {viewers > 1 && (
        <span class="who">
          <span class="eyes" aria-hidden="true">
            {Array.from({ length: Math.min(3, viewers) }, (_, index) => (
              <i key={index} />
            ))}
          </span>
          {plural(viewers, "person").replace("persons", "people")} watching
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
