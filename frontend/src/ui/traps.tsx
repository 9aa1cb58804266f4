/** The traps of this browser: set one for the filter or the issue in hand, see and remove them. */

import "../styles/traps.css";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ago } from "../text";
import { minutes, readMinutes, type Trap } from "../traps";
import type { Alarms } from "./alarms";
import { Icon } from "./icons";
import { headline } from "./row";
import type { Live } from "./live";
import { Modal } from "./modal";
import { include } from "./query-edit";
import { Text } from "./value";

const MINUTES = 5;

export function TrapsDialog({ live }: { live: Live }) {
  const alarms = useSignal<Alarms | null>(null);
  useEffect(() => {
    live.trapping.rung.value = false;
    void live.trapping.open().then((found) => (alarms.value = found));
  }, [live, alarms]);
  return (
    <Modal live={live} title="Tell me when …">
      <div class="dbody">{alarms.value && <Body live={live} alarms={alarms.value} />}</div>
    </Modal>
  );
}

function Body({ live, alarms }: { live: Live; alarms: Alarms }) {
  alarms.changed.value;
  const { book } = alarms;
  const choose = (change: { news?: boolean; sound?: boolean }) => {
    alarms.choose(change);
    if (change.news) void alarms.allow();
  };
  return (
    <>
      <Setting live={live} alarms={alarms} />
      {book.traps.length > 0 && (
        <ul class="links" aria-label="Traps that are set">
          {book.traps.map((trap) => (
            <One key={trap.id} live={live} trap={trap} remove={() => alarms.remove(trap.id)} />
          ))}
        </ul>
      )}
      <div class="trapopts">
        <label class="check">
          <input type="checkbox" checked={book.news} onChange={(event) => choose({ news: event.currentTarget.checked })} />
          Notify me of issues seen for the first time, at most once in 10 s
        </label>
        <label class="check">
          <input type="checkbox" checked={book.sound} onChange={(event) => choose({ sound: event.currentTarget.checked })} />
          With a sound
        </label>
        <Leave />
      </div>
    </>
  );
}

/** Whether the browser lets this page notify. */
function Leave() {
  if (!("Notification" in window)) return <p class="hint">This browser has no notifications: the tab's title and icon tell.</p>;
  if (Notification.permission !== "denied") return null;
  return <p class="hint">Notifications are blocked for this site in the browser's settings: the tab's title and icon tell.</p>;
}

/** What a trap can be for: the opened error's issue, or what the list shows. */
function targets(live: Live): { query: string; label: string }[] {
  const row = live.reading.current;
  const query = live.query.value;
  const found = [{ query, label: query || "any error" }];
  if (row?.issue) {
    const { type, title } = headline(row);
    found.unshift({ query: include("", "issue", row.issue), label: type || title });
  }
  return found;
}

function Setting({ live, alarms }: { live: Live; alarms: Alarms }) {
  const kind = useSignal<Trap["kind"]>("next");
  const typed = useSignal(String(MINUTES));
  const choices = targets(live);
  const chosen = useSignal(0);
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const count = readMinutes(typed.value);
    if (kind.value === "quiet" && count === null) return live.say("Minutes are a whole number, up to a day", true);
    const { query, label } = choices[chosen.value] ?? choices[0]!;
    const isSet = alarms.set({ kind: kind.value, query, label: label.slice(0, 120), minutes: kind.value === "quiet" ? count! : 0 });
    if (!isSet) return live.say("So many traps are set already: remove one first", true);
    live.say("It is set, for this browser");
    void alarms.allow();
  };
  const pick = (value: Trap["kind"]) => <input type="radio" name="trap-kind" checked={kind.value === value} onChange={() => (kind.value = value)} />;
  return (
    <form class="form" onSubmit={send}>
      <div class="field">
        <label for="trap-target">Watch for</label>
        <select id="trap-target" onChange={(event) => (chosen.value = event.currentTarget.selectedIndex)}>
          {choices.map(({ label }, index) => (
            <option value={index}>{index === 0 && choices.length > 1 ? `This issue: ${label}` : label}</option>
          ))}
        </select>
      </div>
      <fieldset class="trapkinds">
        <legend class="sr">Tell me</legend>
        <label class="check">
          {pick("next")} when it happens next
        </label>
        <label class="check">
          {pick("quiet")} when it has been quiet for
          <input class="plain" inputMode="numeric" size={4} aria-label="Minutes" value={typed.value} onFocus={() => (kind.value = "quiet")} onInput={(event) => (typed.value = event.currentTarget.value)} />
          minutes
        </label>
      </fieldset>
      <footer>
        <button class="btn p">
          <Icon name="bell" />
          Tell me
        </button>
      </footer>
    </form>
  );
}

function One({ live, trap, remove }: { live: Live; trap: Trap; remove: () => void }) {
  live.second.value;
  const now = live.feed.serverNow();
  const state = trap.kind === "next" ? `when it happens next, set ${ago(trap.setAt, now)}` : `when quiet for ${minutes(trap.minutes)}; last ${ago(trap.lastAt, now)}`;
  return (
    <li>
      <span>
        <b class="u" dir="auto">
          <Text text={trap.label} />
        </b>
        <small>{state}</small>
      </span>
      <button class="btn" aria-label="Remove this trap" onClick={remove}>
        <Icon name="close" />
      </button>
    </li>
  );
}
