/** The page before the first error: what to paste, with the real key, and a test to send. */

import { useSignal } from "@preact/signals";
import { Icon } from "./icons";
import type { Live } from "./live";

export function Empty({ live }: { live: Live }) {
  return (
    <main class="empty" id="main">
      <div class="wait">
        <span class="st3">
          <i />
          <i />
          <i />
        </span>
        <h1>Waiting for the first error</h1>
        <p>
          {live.canWrite ? "Paste one of these into your app or a terminal. " : "Nothing has arrived yet. "}
          This page changes by itself the moment something arrives.
        </p>
      </div>
      {live.boot.snippets.length > 0 && <Snippets live={live} />}
    </main>
  );
}

function Snippets({ live }: { live: Live }) {
  const chosen = useSignal(0);
  const { snippets } = live.boot;
  const snippet = snippets[chosen.value]!;
  return (
    <div class="snip">
      <nav role="tablist" aria-label="Ways to send">
        {snippets.map((each, index) => (
          <button role="tab" aria-selected={index === chosen.value} key={each.name} onClick={() => (chosen.value = index)}>
            {each.label}
          </button>
        ))}
      </nav>
      <pre tabIndex={0}>
        <code>{snippet.text}</code>
      </pre>
      <footer>
        <span class="dot pulse" />
        <span class="cut">Listening on {live.boot.stack.name}</span>
        <span class="grow" />
        <button class="btn q" onClick={() => void live.sendTest()}>
          Send a test error
        </button>
        <button class="btn" onClick={() => void live.copy(snippet.text, snippet.label)}>
          <Icon name="copy" />
          Copy
        </button>
      </footer>
    </div>
  );
}
