/** Pins the opened error for everybody, with a note if one is given, or unpins it. */

import "../styles/pop.css";
import { useSignal } from "@preact/signals";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Popover } from "./popover";

const MAX_NOTE_CHARS = 200;

export function PinButton({ live, id }: { live: Live; id: string }) {
  live.painted.value;
  const note = useSignal("");
  if (live.feed.pins.some(({ error }) => error.id === id)) {
    return (
      <button class="btn q" aria-label="Unpin" aria-pressed title="Unpin for everybody" onClick={() => void live.unpin(id)}>
        <Icon name="pin" />
      </button>
    );
  }
  return (
    <Popover className="btn q" label="Pin" button={<Icon name="pin" />}>
      {(close) => (
        <form
          class="pop form pinform"
          onSubmit={(event) => {
            event.preventDefault();
            void live.pin(id, note.value);
            close();
          }}
        >
          <div class="field">
            <label for="pin-note">Keep it at the top, for everybody</label>
            <input id="pin-note" placeholder="Why? Everybody who sees the error reads it" maxLength={MAX_NOTE_CHARS} autofocus value={note.value} onInput={(event) => (note.value = event.currentTarget.value)} />
          </div>
          <footer>
            <button class="btn p">Pin for everybody</button>
          </footer>
        </form>
      )}
    </Popover>
  );
}
