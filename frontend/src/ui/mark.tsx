/** Set a marker, here and now: "deployed 2.4.1". */

import { useEffect, useRef } from "preact/hooks";
import type { Live } from "./live";
import { Modal } from "./modal";

const MAX_CHARS = 200;

export function MarkDialog({ live }: { live: Live }) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  const send = async (event: Event) => {
    event.preventDefault();
    const text = box.current?.value.trim() ?? "";
    if (!text) return;
    try {
      await live.api.mark(text);
      live.dialog.value = null;
      live.say("Marked");
    } catch (error) {
      live.fail(error);
    }
  };
  return (
    <Modal live={live} title="Mark this moment">
      <form class="dbody form" onSubmit={(event) => void send(event)}>
        <div class="field">
          <label for="mark-text">What happens now</label>
          <input id="mark-text" ref={box} maxLength={MAX_CHARS} placeholder="deployed 2.4.1" autocomplete="off" />
        </div>
        <p class="hint">It stands in the stream of everyone, and issues are compared before and after it.</p>
        <div class="acts">
          <button class="btn p">Set the marker</button>
        </div>
      </form>
    </Modal>
  );
}
