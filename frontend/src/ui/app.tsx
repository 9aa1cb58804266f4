/** The live view put together. */

import { useEffect } from "preact/hooks";
import { Histogram } from "./histogram";
import type { Live } from "./live";
import { Logs } from "./logs";
import { Detail, Empty, Facets, Help, Issues, MarkDialog, Pins, ShareDialog, TrapsDialog, Wall } from "./parts";
import { prefs } from "./prefs";
import { QueryBar } from "./query-bar";
import { Status } from "./status";
import { Stream } from "./stream";

export function App({ live }: { live: Live }) {
  if (live.isWall.value) return <Wall live={live} />;
  const isEmpty = live.isEmpty.value && live.selected.value === null;
  return (
    <>
      <div>
        <Banner live={live} />
        {!isEmpty && <QueryBar live={live} />}
      </div>
      {isEmpty ? <Empty live={live} /> : <Body live={live} />}
      <Status live={live} />
      <Toast live={live} />
      {live.dialog.value === "share" && <ShareDialog live={live} />}
      {live.dialog.value === "mark" && <MarkDialog live={live} />}
      {live.dialog.value === "traps" && <TrapsDialog live={live} />}
      {live.dialog.value === "help" && <Help live={live} />}
    </>
  );
}

function Body({ live }: { live: Live }) {
  const isOpen = live.selected.value !== null;
  useEffect(() => () => void (live.sheet.value = null), [live]);
  return (
    <main class={`main ${isOpen ? "with-detail" : ""}`} id="main" style={prefs.value.panelPx ? { "--panel": `${prefs.value.panelPx}px` } : {}}>
      <h1 class="sr">{live.boot.share?.name || live.boot.stack.name}, live</h1>
      <aside class={`fac ${live.sheet.value === "fields" ? "sheet" : ""}`} aria-label="Fields">
        <Facets live={live} />
      </aside>
      <div class="cen">
        <div>
          <Pinned live={live} />
          <Histogram live={live} />
        </div>
        {live.mode.value === "stream" ? <Stream live={live} /> : <Issues live={live} />}
        <Logs live={live} />
      </div>
      {isOpen && (
        <aside class="det" aria-label="Error detail">
          <Detail live={live} />
        </aside>
      )}
    </main>
  );
}

/** Nothing is loaded for pins until there is one. */
function Pinned({ live }: { live: Live }) {
  live.painted.value;
  return live.feed.pins.length > 0 ? <Pins live={live} /> : null;
}

const ENDED: { [code: number]: string } = {
  4401: "You are signed out.",
  4403: "This link no longer works: it was revoked or has expired.",
  4404: "This stack was deleted.",
};

/** Loud where the stream has ended for good. */
function Banner({ live }: { live: Live }) {
  const { phase, code } = live.link.value;
  if (phase !== "ended") return null;
  const next = encodeURIComponent(location.pathname + location.search);
  return (
    <div class="banner" role="alert">
      {ENDED[code] ?? "The live stream has ended."} What is shown is from before.
      <span class="grow" />
      {code === 4401 && (
        <a class="btn" href={`/login?next=${next}`}>
          Sign in
        </a>
      )}
    </div>
  );
}

function Toast({ live }: { live: Live }) {
  const said = live.said.value;
  return (
    <div class="toasts" role="status">
      {said && (
        <div class={`toast ${said.bad ? "bad" : ""}`}>
          {said.text}
          {said.act && (
            <button class="btn q" onClick={said.act.run}>
              {said.act.label}
              <kbd class="d-only">z</kbd>
            </button>
          )}
        </div>
      )}
    </div>
  );
}
