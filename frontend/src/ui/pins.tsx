/** Errors that members keep at the top of the view, for everybody who may see them. */

import "../styles/pins.css";
import { initials } from "../presence";
import { ago, oneLine, plain } from "../text";
import type { Pin } from "../wire";
import { Icon } from "./icons";
import { headline } from "./row";
import type { Live } from "./live";
import { Text } from "./value";

export function Pins({ live }: { live: Live }) {
  live.painted.value;
  live.second.value;
  return (
    <section class="pins" aria-label="Pinned for everybody">
      {live.feed.pins.map((pin) => (
        <One key={pin.error.id} live={live} pin={pin} />
      ))}
    </section>
  );
}

function One({ live, pin }: { live: Live; pin: Pin }) {
  const { error, note, at, by } = pin;
  const { type, title } = headline(error);
  const isOpen = live.selected.value === error.id;
  return (
    <div class={`pin l-${error.level} ${isOpen ? "sel" : ""}`}>
      <span class="bar" />
      <button class="ti" onClick={() => (isOpen ? live.reading.close() : live.reading.open(error.id))}>
        <Icon name="pin" />
        <span class="cut u" dir="auto">
          {type && (
            <b>
              <Text text={type} />{" "}
            </b>
          )}
          <Text text={oneLine(title)} />
        </span>
        {note && (
          <q class="cut u" dir="auto">
            <Text text={note} />
          </q>
        )}
      </button>
      <span class="by" title={plain(by ? `Pinned by ${by}` : "Pinned")}>
        {by && <span class="av">{initials(by)}</span>}
        {ago(at, live.feed.serverNow())}
      </span>
      {live.canWrite && (
        <button class="btn q" aria-label={plain(`Unpin ${title}`)} title="Unpin for everybody" onClick={() => void live.unpin(error.id)}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
