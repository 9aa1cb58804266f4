/**
 * A stack trace as senders write it → frames, most recent call first. One line pattern per
 * language; a line that fits none is kept as text. The raw trace is always at hand beside it.
 */

import type { Fields } from "./wire";
import { valueAt } from "./text";

/** PROTOCOL 9: where a trace may be, first found wins. */
const NAMES = ["stack", "StackTrace", "backtrace", "exc_text", "trace", "traceback"];
const MAX_LINES = 500;
const MAX_LINE_CHARS = 1_000;

/** `source` is the line of code where the sender gave it. `isLibrary`: not the program's own. */
export interface TraceFrame {
  name: string;
  file: string;
  line: string;
  source: string;
  isLibrary: boolean;
}

export interface Trace {
  raw: string;
  frames: TraceFrame[];
  /** Lines that are no frames: the exception's own words. */
  words: string[];
}

interface Style {
  line: RegExp;
  read(match: RegExpExecArray): [name: string, file: string, line: string];
  /** The trace ends with the most recent call. */
  isReversed?: boolean;
}

const STYLES: readonly Style[] = [
  // Python:  File "app.py", line 12, in run
  { line: /^\s*File "([^"]+)", line (\d+)(?:, in (.+))?$/, read: (m) => [m[3] ?? "", m[1]!, m[2]!], isReversed: true },
  // Java:  at com.acme.Shop.pay(Shop.java:31)
  { line: /^\s*at ([\w$.<>/]+)\(([\w$-]+\.(?:java|kt|scala|groovy))(?::(\d+))?\)/, read: (m) => [m[1]!, m[2]!, m[3] ?? ""] },
  // C#:  at Acme.Shop.Pay(String x) in C:\src\Shop.cs:line 31
  { line: /^\s*at (.+?\)) in (.+):line (\d+)$/, read: (m) => [m[1]!, m[2]!, m[3]!] },
  // V8:  at pay (https://shop/app.js:1:31)   at https://shop/app.js:1:31
  { line: /^\s*at (?:(.+?) \()?([^()\s][^()]*?):(\d+)(?::(\d+))?\)?$/, read: (m) => [m[1] ?? "", m[2]!, place(m[3]!, m[4])] },
  // .NET and Java without a place:  at Acme.Shop.Pay(String x)
  { line: /^\s*at ([\w$.<>`[\]]+\(.*\))$/, read: (m) => [m[1]!, "", ""] },
  // Gecko and WebKit:  pay@https://shop/app.js:1:31
  { line: /^([^@\s]*)@(\S+?):(\d+)(?::(\d+))?$/, read: (m) => [m[1]!, m[2]!, place(m[3]!, m[4])] },
  // PHP:  #0 /srv/shop/pay.php(31): Shop->pay()
  { line: /^#\d+ (.+?)\((\d+)\): (.+)$/, read: (m) => [m[3]!, m[1]!, m[2]!] },
  { line: /^#\d+ (\[internal function\]|\{main\})(?:: (.+))?$/, read: (m) => [m[2] ?? m[1]!, "", ""] },
  // Ruby:  /srv/shop/pay.rb:31:in `pay'
  { line: /^(?:\s*from\s+)?([^\s:]+):(\d+):in [`'](.+)'$/, read: (m) => [m[3]!, m[1]!, m[2]!] },
];

const LIBRARY =
  /node_modules|site-packages|dist-packages|\/usr\/lib\/|\/lib\/python\d|\/vendor\/|\/gems\/|^node:|^internal\/|<frozen |^(?:java|javax|jdk|sun|kotlin|scala|System|Microsoft|Mono)\./;

/** The trace among an error's fields, or null. */
export function traceOf(fields: Fields): Trace | null {
  for (const name of NAMES) {
    const value = valueAt(fields, name);
    const text = Array.isArray(value) ? value.filter((item) => typeof item === "string").join("\n") : value;
    if (typeof text === "string" && text.trim() !== "") return parseTrace(text);
  }
  return null;
}

export function parseTrace(raw: string): Trace {
  const trace: Trace = { raw, frames: [], words: [] };
  let reversed = 0;
  for (const line of lines(raw)) {
    const found = frameOf(line);
    if (found) {
      trace.frames.push(found.frame);
      reversed += found.isReversed ? 1 : 0;
    } else if (isSource(line, trace.frames.at(-1))) {
      trace.frames.at(-1)!.source = line.trim();
    } else if (line.trim() !== "" && !/^\s*(?:[~^]+|Traceback \(most recent call last\):)\s*$/.test(line)) {
      trace.words.push(line.trim());
    }
  }
  if (reversed * 2 > trace.frames.length) trace.frames.reverse();
  return trace;
}

/** Lines; a trace on one line has its frames set apart by commas. */
function lines(raw: string): string[] {
  const all = raw.split(/\r?\n/);
  const apart = all.length > 1 ? all : raw.split(/,(?=\S+:\d+:in [`']|\s*at |#\d+ |[^@\s,]*@\S+:\d)/);
  return apart.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_LINE_CHARS));
}

function frameOf(line: string): { frame: TraceFrame; isReversed: boolean } | null {
  for (const style of STYLES) {
    const match = style.line.exec(line);
    if (!match) continue;
    const [name, file, place] = style.read(match);
    const isLibrary = LIBRARY.test(file) || LIBRARY.test(name);
    return { frame: { name, file, line: place, source: "", isLibrary }, isReversed: style.isReversed ?? false };
  }
  return null;
}

/** Python puts the line of code, indented by four, under its frame. */
function isSource(line: string, frame: TraceFrame | undefined): boolean {
  return frame !== undefined && frame.source === "" && /^ {4}\S/.test(line) && !/^\s*[~^]+\s*$/.test(line);
}

function place(line: string, column: string | undefined): string {
  return column ? `${line}:${column}` : line;
}

/** Frames in the order shown: the program's own each alone, neighbouring library frames together. */
export function grouped(frames: readonly TraceFrame[]): TraceFrame[][] {
  const groups: TraceFrame[][] = [];
  for (const frame of frames) {
    const last = groups.at(-1);
    if (frame.isLibrary && last?.[0]?.isLibrary) last.push(frame);
    else groups.push([frame]);
  }
  return groups;
}
