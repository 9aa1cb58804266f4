/** The status bar, whose lamp tells the truth: it is fed by the server's heartbeats. */

import { useEffect, useState } from "preact/hooks";
import { count, perSecond, plural } from "../text";
import { Icon, type IconName } from "./icons";
import type { Live } from "./live";

/** The server is heard every 5 s; after this long without, the lamp says so. */
const QUIET_MS = 7_500;
const SPOKEN_EVERY_MS = 10_000;

interface Lamp {
  className: "ok" | "slow" | "off";
  text: string;
}

export function lamp(live: Live): Lamp {
  const { phase, retryAt, code } = live.link.value;
  if (phase === "ended") return { className: "off", text: code === 4401 ? "Signed out" : "Ended" };
  if (phase === "waiting") {
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1_000));
    return { className: "off", text: `Disconnected, again in ${seconds} s` };
  }
  if (phase === "connecting") return { className: "slow", text: "Connecting…" };
  const silent = live.socket.silentMs();
  if (silent > QUIET_MS) return { className: "slow", text: `Silent for ${Math.round(silent / 1_000)} s` };
  return { className: "ok", text: live.socket.way === "events" ? "Connected without a websocket" : "Connected" };
}

export function Status({ live }: { live: Live }) {
  live.painted.value;
  live.second.value;
  const { feed } = live;
  const { className, text } = lamp(live);
  const behind = Math.round(feed.lagMs + live.socket.roundTripMs / 2);
  return (
    <footer class="sb">
      <span class={`lamp ${className}`}>
        <span class={`dot ${className === "ok" ? "pulse" : ""}`} />
        {text}
      </span>
      {live.isPaused.value && <b class="held">List paused</b>}
      {className === "ok" && (
        <>
          <span>{perSecond(feed.rate.perSecond(Date.now()))} errors/s</span>
          <span title="From the server's clock when the newest error arrived to this page">{count(behind)} ms behind</span>
        </>
      )}
      <span>{plural(feed.rows.kept, "row")} kept</span>
      <span class="grow" />
      <Hint keys={["j", "k"]} text="move" />
      <Hint keys={["e"]} text="expand" />
      {live.canWrite && <Hint keys={["x"]} text="resolve" />}
      <button class="hint" onClick={() => (live.dialog.value = "help")}>
        <kbd>?</kbd> all shortcuts
      </button>
      <Bottom live={live} />
      <Spoken live={live} text={text} />
    </footer>
  );
}

function Hint({ keys, text }: { keys: string[]; text: string }) {
  return (
    <span class="hint">
      {keys.map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}{" "}
      {text}
    </span>
  );
}

/** The bar at the foot of a phone. */
function Bottom({ live }: { live: Live }) {
  const go = (mode: "stream" | "grouped") => () => {
    live.sheet.value = null;
    live.reading.close();
    live.setMode(mode);
  };
  const isOn = (mode: string) => live.sheet.value === null && live.mode.value === mode;
  return (
    <>
      <Foot icon="stream" text="Live" isOn={isOn("stream")} act={go("stream")} />
      <Foot icon="issues" text="Issues" isOn={isOn("grouped")} act={go("grouped")} />
      <Foot icon="fields" text="Fields" isOn={live.sheet.value === "fields"} act={() => (live.sheet.value = "fields")} />
      {live.canWrite && (
        <a class="mt m-only" href={`${live.boot.page}/settings`}>
          <Icon name="gear" />
          Settings
        </a>
      )}
    </>
  );
}

function Foot({ icon, text, isOn, act }: { icon: IconName; text: string; isOn: boolean; act: () => void }) {
  return (
    <button class={`mt m-only ${isOn ? "on" : ""}`} aria-pressed={isOn} onClick={act}>
      <Icon name={icon} />
      {text}
    </button>
  );
}

/** What a screen reader is told: at most every ten seconds. */
function Spoken({ live, text }: { live: Live; text: string }) {
  const [spoken, speak] = useState("");
  useEffect(() => {
    let told = live.feed.total;
    const timer = setInterval(() => {
      const fresh = live.feed.total - told;
      told = live.feed.total;
      if (fresh > 0) speak(`${plural(fresh, "new error")}${live.isPaused.value ? ", list paused" : ""}`);
    }, SPOKEN_EVERY_MS);
    return () => clearInterval(timer);
  }, [live]);
  const lampWords = text.startsWith("Disconnected") ? "Disconnected" : text.startsWith("Silent") ? "Silent" : text;
  return (
    <>
      <span class="sr" role="status">{spoken}</span>
      <span class="sr" role="status">{lampWords}</span>
    </>
  );
}
