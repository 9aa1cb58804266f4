/** What whoever has the link will see: asked of the server, which cuts as it would for them. */

import { useEffect, useState } from "preact/hooks";
import { ShareApi, type NewShare, type Shown } from "../share-api";
import { plural } from "../text";
import { clock } from "../time";
import type { Row } from "../wire";
import { headline } from "./row";
import type { Live } from "./live";
import { glimpse, Text } from "./value";

const WAIT_MS = 350;
const NO_NAMES: ReadonlySet<string> = new Set();

export function Preview({ live, wish }: { live: Live; wish: NewShare }) {
  const [shown, show] = useState<Shown | null>(null);
  const [problem, tell] = useState("");
  const { query, hidden, with_logs } = wish;
  const asked = JSON.stringify({ query, hidden, with_logs });
  useEffect(() => {
    let isWanted = true;
    const ask = async () => {
      try {
        const found = await new ShareApi(live.api).preview({ ...wish, name: "", initial: "" });
        if (isWanted) show(found), tell("");
      } catch (error) {
        if (isWanted) tell(error instanceof Error ? error.message : String(error));
      }
    };
    const timer = setTimeout(() => void ask(), shown ? WAIT_MS : 0);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [live, asked]);
  return (
    <details class="preview" open>
      <summary>What they will see</summary>
      {problem && <p class="hint" role="alert">{problem}</p>}
      {shown?.errors.map((row) => <One key={row.id} row={row} />)}
      {shown && shown.errors.length === 0 && <p class="hint">Nothing yet: no error fits. New ones will come live.</p>}
      {shown && <p class="hint">{with_logs ? `${plural(shown.logs.length, "log message")} alive now. ` : "No log messages. "}Everything new, live.</p>}
    </details>
  );
}

function One({ row }: { row: Row }) {
  const { type, title } = headline(row);
  return (
    <div class={`prow l-${row.level}`}>
      <span class="bar" />
      <span class="tm">{clock(row.at)}</span>
      <span class="ms u" dir="auto">
        {type && (
          <b>
            <Text text={type} />{" "}
          </b>
        )}
        <Text text={title} /> <u><Text text={glimpse(row.fields, NO_NAMES)} /></u>
      </span>
    </div>
  );
}
