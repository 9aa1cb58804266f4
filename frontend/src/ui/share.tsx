/** The share dialog: a read-only, live link to this view or the whole stack. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Share } from "../api";
import { ago } from "../text";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Modal } from "./modal";
import { Text } from "./value";

const DAY_S = 86_400;
const ENDS: readonly [label: string, seconds: number | null][] = [
  ["in a day", DAY_S],
  ["in 7 days", 7 * DAY_S],
  ["in 30 days", 30 * DAY_S],
  ["never", null],
];

export function ShareDialog({ live }: { live: Live }) {
  const made = useSignal<Share | null>(null);
  return (
    <Modal live={live} title="Share, live and read-only">
      <div class="dbody">
        {made.value?.url ? <Made live={live} url={made.value.url} /> : <ShareForm live={live} made={(share) => (made.value = share)} />}
        <Links live={live} changed={made.value?.id ?? ""} />
      </div>
    </Modal>
  );
}

function ShareForm({ live, made }: { live: Live; made: (share: Share) => void }) {
  const isSending = useSignal(false);
  const query = live.query.value;
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    const ends = ENDS[Number(text("ends"))]?.[1] ?? null;
    isSending.value = true;
    try {
      made(
        await live.api.share({
          name: text("name"),
          query: text("scope") === "view" ? query : "",
          hidden: text("hidden").split(/[,\n]/).map((name) => name.trim()).filter(Boolean),
          with_logs: given.has("logs"),
          expires_in_s: ends,
        }),
      );
    } catch (error) {
      live.fail(error);
    } finally {
      isSending.value = false;
    }
  };
  return (
    <form class="form" onSubmit={(event) => void send(event)}>
      <p class="hint">Whoever has the link watches without an account. It shows no keys and changes nothing.</p>
      <div class="field">
        <label for="share-name">Name</label>
        <input id="share-name" name="name" placeholder="Who it is for; its viewers see it" maxLength={80} required autofocus />
      </div>
      <div class="field">
        <label for="share-scope">Shows</label>
        <select id="share-scope" name="scope">
          {query && <option value="view">Only what matches: {query.slice(0, 80)}</option>}
          <option value="stack">The whole stack</option>
        </select>
      </div>
      <div class="field">
        <label for="share-hidden">Hide fields</label>
        <input id="share-hidden" name="hidden" placeholder="user.email, ip" autocomplete="off" />
        <small>Names, separated by commas. They are cut out before anything is sent.</small>
      </div>
      <div class="field">
        <label for="share-ends">Ends</label>
        <select id="share-ends" name="ends">
          {ENDS.map(([label], index) => (
            <option value={index} selected={index === 1}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <label class="check">
        <input type="checkbox" name="logs" /> Show log messages too
      </label>
      <footer>
        <button class="btn p" disabled={isSending.value}>
          <Icon name="link" />
          Create link
        </button>
      </footer>
    </form>
  );
}

function Made({ live, url }: { live: Live; url: string }) {
  return (
    <>
      <p class="hint">The link is shown this once: only its fingerprint is kept.</p>
      <div class="copy">
        <code id="share-url">{url}</code>
        <button class="btn p" onClick={() => void live.copy(url, "Link")}>
          <Icon name="copy" />
          Copy
        </button>
      </div>
    </>
  );
}

/** The links that work now, to be revoked. */
function Links({ live, changed }: { live: Live; changed: string }) {
  const shares = useSignal<Share[]>([]);
  const load = async () => {
    try {
      const all = (await live.api.shares()).shares;
      shares.value = all.filter((share) => share.revoked_at === null && (share.expires_at ?? Infinity) > Date.now());
    } catch (error) {
      live.fail(error);
    }
  };
  useEffect(() => void load(), [changed]);
  const revoke = async (id: string) => {
    try {
      await live.api.revoke(id);
      live.say("Link revoked");
    } catch (error) {
      live.fail(error);
    }
    await load();
  };
  if (shares.value.length === 0) return null;
  return (
    <ul class="links" aria-label="Links that work now">
      {shares.value.map((share) => (
        <li key={share.id}>
          <span>
            <b class="u" dir="auto">
              <Text text={share.name || "unnamed"} />
            </b>
            <small class="u" dir="auto">
              <Text text={share.query || "the whole stack"} />, made {ago(share.created_at, Date.now())}
            </small>
          </span>
          <button class="btn danger" onClick={() => void revoke(share.id)}>
            Revoke
          </button>
        </li>
      ))}
    </ul>
  );
}
