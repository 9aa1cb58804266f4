/** The share dialog: a read-only, live link to this view or the whole stack, and the links there are. */

import "../styles/share.css";
import { useSignal } from "@preact/signals";
import { ShareApi, type NewShare, type Share } from "../share-api";
import { ago } from "../text";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Modal } from "./modal";
import { Hidden, type Choice } from "./share-fields";
import { Links } from "./share-links";
import { Preview } from "./share-preview";
import { Text } from "./value";

const DAY_S = 86_400;
const ENDS: readonly [label: string, seconds: number | null][] = [
  ["in an hour", DAY_S / 24],
  ["in a day", DAY_S],
  ["in 7 days", 7 * DAY_S],
  ["in 30 days", 30 * DAY_S],
  ["never, until it is revoked", null],
];
const USUAL_END = 2;

export function ShareDialog({ live }: { live: Live }) {
  const made = useSignal<Share | null>(null);
  return (
    <Modal live={live} title="Share, live and read-only">
      <div class="dbody">
        {made.value?.url ? <Made live={live} share={made.value} again={() => (made.value = null)} /> : <ShareForm live={live} made={(share) => (made.value = share)} />}
        <Links live={live} changed={made.value?.id ?? ""} />
      </div>
    </Modal>
  );
}

function ShareForm({ live, made }: { live: Live; made: (share: Share) => void }) {
  const isSending = useSignal(false);
  const name = useSignal("");
  const isView = useSignal(true);
  const hidden = useSignal<Choice>(new Set());
  const withLogs = useSignal(false);
  const ends = useSignal(USUAL_END);
  const query = live.query.value;
  const wish: NewShare = {
    name: name.value.trim(),
    query: isView.value ? query : "",
    initial: isView.value ? location.search : "",
    hidden: [...hidden.value],
    with_logs: withLogs.value,
    expires_in_s: ENDS[ends.value]?.[1] ?? null,
  };
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    isSending.value = true;
    try {
      made(await new ShareApi(live.api).share(wish));
    } catch (error) {
      live.fail(error);
    } finally {
      isSending.value = false;
    }
  };
  return (
    <form class="form sharing" onSubmit={(event) => void send(event)}>
      <p class="hint">Whoever has the link watches without an account. It shows no keys and changes nothing.</p>
      <div class="field">
        <label for="share-name">Name</label>
        <input id="share-name" placeholder="Who it is for; its viewers see it" maxLength={80} required autofocus value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
      </div>
      <fieldset class="scope">
        <legend>Shows</legend>
        <Scope isOn={isView.value} choose={() => (isView.value = true)} label="Exactly this view">
          {query ? <code class="u" dir="auto"><Text text={query} /></code> : "all errors"}, as it looks now
        </Scope>
        <Scope isOn={!isView.value} choose={() => (isView.value = false)} label="The whole stack">
          every error, to look around in
        </Scope>
      </fieldset>
      <Hidden live={live} chosen={hidden} />
      <div class="two">
        <div class="field">
          <label for="share-ends">Ends</label>
          <select id="share-ends" onChange={(event) => (ends.value = event.currentTarget.selectedIndex)}>
            {ENDS.map(([label], index) => (
              <option selected={index === ends.value}>{label}</option>
            ))}
          </select>
        </div>
        <label class="check">
          <input type="checkbox" checked={withLogs.value} onChange={(event) => (withLogs.value = event.currentTarget.checked)} /> Log messages too
        </label>
      </div>
      <Preview live={live} wish={wish} />
      <footer>
        <button class="btn p" disabled={isSending.value}>
          <Icon name="link" />
          Create link
        </button>
      </footer>
    </form>
  );
}

function Scope({ isOn, choose, label, children }: { isOn: boolean; choose: () => void; label: string; children: preact.ComponentChildren }) {
  return (
    <label class="check">
      <input type="radio" name="share-scope" checked={isOn} onChange={choose} />
      <span>
        {label}
        <small>{children}</small>
      </span>
    </label>
  );
}

/** The link, this once: to copy, and where the device can, to hand on. */
function Made({ live, share, again }: { live: Live; share: Share; again: () => void }) {
  const url = share.url!;
  const hand = () => void navigator.share({ url, title: share.name }).catch(() => {}); // put away by hand
  return (
    <>
      <p class="hint">
        The link is shown this once: only its fingerprint is kept.
        {share.expires_at !== null && ` It ends ${new Date(share.expires_at).toLocaleString()}.`}
      </p>
      <div class="copy">
        <code id="share-url">{url}</code>
        <button class="btn p" autofocus onClick={() => void live.copy(url, "Link")}>
          <Icon name="copy" />
          Copy
        </button>
        {"share" in navigator && (
          <button class="btn" onClick={hand}>
            <Icon name="open" />
            Send
          </button>
        )}
      </div>
      <footer>
        <span class="hint">made {ago(share.created_at, Date.now())}</span>
        <button class="btn" onClick={again}>
          Another link
        </button>
      </footer>
    </>
  );
}
