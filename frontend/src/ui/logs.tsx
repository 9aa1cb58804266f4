/** The log strip: the stack's last ten log messages, live. */

import { signal } from "@preact/signals";
import { clock, fraction, oneLine } from "../text";
import { stringify, type LogMessage } from "../wire";
import { Icon } from "./icons";
import type { Live } from "./live";
import { LongText, Text } from "./value";

const isOpen = signal(localStorage.getItem("logs") === "open");

function toggle(): void {
  isOpen.value = !isOpen.value;
  localStorage.setItem("logs", isOpen.value ? "open" : "closed");
}

export function Logs({ live }: { live: Live }) {
  live.painted.value;
  live.second.value;
  const logs = live.feed.livingLogs();
  const last = logs.at(-1);
  if (!last) return null;
  return (
    <section class="logs" aria-label="Log messages">
      <button aria-expanded={isOpen.value} onClick={toggle}>
        <Icon name="down" />
        <b>Log{isOpen.value ? `, last ${logs.length}` : ""}</b>
        {!isOpen.value && <LogLine message={last} isOneLine />}
      </button>
      {isOpen.value && (
        <ol>
          {logs.toReversed().map((message) => (
            <li key={message.id}>
              <LogLine message={message} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

export function LogLine({ message, isOneLine = false }: { message: LogMessage; isOneLine?: boolean }) {
  const text = logText(message);
  return (
    <span class="log">
      <time>
        {clock(message.at)}
        <s>{fraction(message.at)}</s>
      </time>
      <span class="tx u" dir="auto">
        {isOneLine ? <Text text={oneLine(text.slice(0, 300))} /> : <LongText text={text} />}
      </span>
    </span>
  );
}

/** A message's words; one that was sent as JSON is laid out when it parses. */
function logText(message: LogMessage): string {
  if (message.text === undefined) return stringify(message.fields ?? {});
  if (!message.json) return message.text;
  try {
    return JSON.stringify(JSON.parse(message.text), null, 2);
  } catch {
    return message.text;
  }
}
