/** The links that work now: who watches by each, when they end, and their end at once. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ShareApi, type Share } from "../share-api";
import { ago, plural } from "../text";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Text } from "./value";

/** A question that was not answered is taken back. */
const ASKED_MS = 5_000;
const HOUR_MS = 3_600_000;

export function Links({ live, changed }: { live: Live; changed: string }) {
  const shares = useSignal<Share[]>([]);
  const api = new ShareApi(live.api);
  live.painted.value;
  const load = async () => {
    try {
      const all = (await api.shares()).shares;
      shares.value = all.filter((share) => share.revoked_at === null && (share.expires_at ?? Infinity) > Date.now());
    } catch (error) {
      live.fail(error);
    }
  };
  useEffect(() => void load(), [changed]);
  const revoke = async (id: string) => {
    try {
      await api.revoke(id);
      live.say("Link revoked");
    } catch (error) {
      live.fail(error);
    }
    await load();
  };
  const watched = new Map(live.feed.company.links.map(({ id, viewers }) => [id, viewers]));
  if (shares.value.length === 0) return null;
  return (
    <ul class="links" aria-label="Links that work now">
      {shares.value.map((share) => (
        <One key={share.id} share={share} watching={watched.get(share.id) ?? 0} revoke={() => void revoke(share.id)} />
      ))}
    </ul>
  );
}

function One({ share, watching, revoke }: { share: Share; watching: number; revoke: () => void }) {
  const isAsking = useSignal(false);
  const press = () => {
    if (isAsking.value) return revoke();
    isAsking.value = true;
    setTimeout(() => (isAsking.value = false), ASKED_MS);
  };
  const without = share.hidden.length > 0 ? `, without ${share.hidden.join(", ")}` : "";
  return (
    <li>
      <span>
        <b class="u" dir="auto">
          <Text text={share.name || "unnamed"} />
        </b>
        {watching > 0 && (
          <span class="tag watching">
            <Icon name="eye" />
            {watching} watching
          </span>
        )}
        <small class="u" dir="auto">
          <Text text={`${share.query || "the whole stack"}${without}`} />
        </small>
        <small>
          made {ago(share.created_at, Date.now())}, {ends(share)}
        </small>
      </span>
      <button class="btn danger" onClick={press}>
        {isAsking.value ? `Revoke${watching ? `, cut off ${watching}` : ""}?` : "Revoke"}
      </button>
    </li>
  );
}

function ends({ expires_at }: Share): string {
  if (expires_at === null) return "no end";
  const left = (expires_at - Date.now()) / HOUR_MS;
  return left < 48 ? `ends in ${plural(Math.max(1, Math.round(left)), "hour")}` : `ends in ${plural(Math.round(left / 24), "day")}`;
}
