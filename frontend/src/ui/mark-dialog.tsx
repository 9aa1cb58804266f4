/** Set a marker: what was done just now. And those there are, with who set them. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { OwnMarker } from "../issue-api";
import { by } from "../markers";
import { ago, exact } from "../time";
import { deskOf } from "./desk";
import type { Live } from "./live";
import { Modal } from "./modal";
import { Text } from "./value";

const MAX_CHARS = 200;
const SHOWN = 8;

export function MarkDialog({ live }: { live: Live }) {
  const text = useSignal("");
  const known = useSignal<readonly OwnMarker[] | null>(null);
  const load = () => live.tried(async () => void (known.value = (await deskOf(live).api.markers()).markers));
  useEffect(() => void load(), [live]);
  const set = (event: Event) => {
    event.preventDefault();
    const said = text.value.trim();
    if (!said) return;
    live.dialog.value = null;
    void deskOf(live).mark(said);
  };
  const remove = (id: string) => live.tried(async () => {
    await deskOf(live).api.unmark(id);
    await load();
  });
  return (
    <Modal live={live} title="Set a marker">
      <form class="dbody" onSubmit={set}>
        <label class="field">
          What was done just now?
          <input class="plain" value={text.value} maxLength={MAX_CHARS} placeholder="deployed 2.4.1" autofocus onInput={(event) => (text.value = event.currentTarget.value)} />
        </label>
        <p class="dim">A line in every view's stream and chart, from which issues tell before and after. A script can do it, too:</p>
        <code class="u">{`curl '${live.boot.submit_url.replace(/submit$/, "mark")}?_s=${live.boot.key ?? "KEY"}&_msg=deployed+2.4.1'`}</code>
        <footer>
          <button class="btn p" disabled={!text.value.trim()}>
            Set marker <kbd class="d-only">enter</kbd>
          </button>
        </footer>
        {known.value && known.value.length > 0 && (
          <ul class="marks">
            {known.value.slice(0, SHOWN).map((marker) => (
              <li key={marker.id}>
                <b class="u" dir="auto">
                  <Text text={marker.text} />
                </b>
                <span class="dim" title={exact(marker.at)}>
                  {by(marker)} {marker.by && <Text text={marker.by} />}, {ago(marker.at, live.feed.serverNow())}
                </span>
                <button type="button" class="btn q" onClick={() => void remove(marker.id)}>
                  Remove
                </button>
              </li>
            ))}
          </ul>
        )}
      </form>
    </Modal>
  );
}
