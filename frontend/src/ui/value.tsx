/** The only ways in which what a sender wrote reaches the page: as text nodes, marked and bounded. */

import { useState } from "preact/hooks";
import { flatten, link, MAX_VALUE_CHARS, parts, valueText } from "../text";
import type { Fields, Json } from "../wire";
import { isObject } from "../text";

/** Text with its acting characters made visible and searched words marked. */
export function Text({ text, words }: { text: string; words?: readonly string[] }) {
  return <>{parts(text, words).map(drawPart)}</>;
}

function drawPart(part: { kind: string; text: string }) {
  if (part.kind === "plain") return part.text;
  if (part.kind === "mark") return <mark>{part.text}</mark>;
  return <span class="ctl">{part.text}</span>;
}

/** The same into an element of the list, without a virtual tree. */
export function fillText(element: Element, text: string, words: readonly string[]): void {
  for (const part of parts(text, words)) {
    if (part.kind === "plain") {
      element.append(part.text);
    } else {
      const mark = document.createElement(part.kind === "mark" ? "mark" : "span");
      if (part.kind === "control") mark.className = "ctl";
      mark.textContent = part.text;
      element.append(mark);
    }
  }
}

/** Long text: 2,048 characters, and the rest on demand. */
export function LongText({ text, words }: { text: string; words?: readonly string[] }) {
  const [isWhole, setWhole] = useState(false);
  if (isWhole || text.length <= MAX_VALUE_CHARS) return <Text text={text} words={words ?? []} />;
  return (
    <>
      <Text text={cutAt(text, MAX_VALUE_CHARS)} words={words ?? []} />…{" "}
      <button class="cutoff" onClick={() => setWhole(true)}>
        more ({Math.ceil(text.length / 1024)} KB)
      </button>
    </>
  );
}

/** Never between the halves of a surrogate pair. */
function cutAt(text: string, at: number): string {
  return text.slice(0, /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at);
}

const CLASSES: { [type: string]: string } = { number: "nu", bigint: "nu", boolean: "bo", object: "nil" };

/** One value of a field: a link when it is nothing but one, coloured by its type. */
export function Value({ value, words }: { value: Json; words?: readonly string[] }) {
  const text = valueText(value);
  const href = typeof value === "string" ? link(value) : null;
  if (href) {
    return (
      <a class="out u" dir="auto" href={href} target="_blank" rel="noopener noreferrer">
        <Text text={text} />
      </a>
    );
  }
  const type = value !== null && typeof value === "object" ? "" : (CLASSES[typeof value] ?? "");
  return (
    <span class={`u ${type}`} dir="auto">
      {text === "" ? <span class="nil">empty</span> : <LongText text={text} words={words ?? []} />}
    </span>
  );
}

/** JSON as a tree that folds; the first two levels are open. */
export function Tree({ value, name, depth = 0 }: { value: Json; name?: string; depth?: number }) {
  const entries: [string, Json][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : value !== null && isObject(value)
      ? Object.entries(value)
      : [];
  if (entries.length === 0) return <Leaf value={value} {...(name === undefined ? {} : { name })} />;
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return (
    <details open={depth < 2}>
      <summary>
        {name !== undefined && <Name name={name} />}
        {left} {entries.length} {right}
      </summary>
      {entries.slice(0, 1_000).map(([key, item]) => (
        <Tree key={key} name={key} value={item} depth={depth + 1} />
      ))}
    </details>
  );
}

function Leaf({ value, name }: { value: Json; name?: string }) {
  return (
    <div class="leaf">
      {name !== undefined && <Name name={name} />}
      {typeof value === "string" ? (
        <span class="st u" dir="auto">
          <LongText text={JSON.stringify(value)} />
        </span>
      ) : (
        <Value value={value} />
      )}
    </div>
  );
}

function Name({ name }: { name: string }) {
  return (
    <>
      <span class="kk u" dir="auto">
        <Text text={name === "" ? '""' : name} />
      </span>
      :{" "}
    </>
  );
}

/** A few short fields as `name=value`, for the dim end of a row. */
export function glimpse(fields: Fields, without: ReadonlySet<string>, maxChars = 120): string {
  let text = "";
  for (const [name, value] of flatten(fields, 24)) {
    if (without.has(name) || value === null || typeof value === "object") continue;
    const shown = valueText(value);
    if (shown === "" || shown.length > 60) continue;
    text += `${text ? " " : ""}${name}=${shown}`;
    if (text.length > maxChars) break;
  }
  return text;
}
