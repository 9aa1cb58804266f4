/** A stack trace as the server read it: what to show of it, and the text it was read from. */

import { valueAt } from "./text";
import { stringify, type Fields, type TraceFrame } from "./wire";

/** The trace as its sender wrote it, which `field` holds. */
export function rawTrace(fields: Fields, field: string): string {
  const value = valueAt(fields, field) ?? "";
  if (typeof value === "string") return value;
  const isLines = Array.isArray(value) && value.every((item) => typeof item === "string");
  return isLines ? value.join("\n") : stringify(value, 2);
}

/** Frames in the order shown: the program's own each alone, neighbouring library frames together. */
export function grouped(frames: readonly TraceFrame[]): TraceFrame[][] {
  const groups: TraceFrame[][] = [];
  for (const frame of frames) {
    const last = groups.at(-1);
    if (!frame.app && last && !last[0]!.app) last.push(frame);
    else groups.push([frame]);
  }
  return groups;
}

const MAX_NAMED = 3;

/** The libraries of some frames, by name: "in quart, asyncpg". */
export function libraries(frames: readonly TraceFrame[]): string {
  const names = [...new Set(frames.map((frame) => frame.library).filter((name) => name !== undefined))];
  if (names.length === 0) return "";
  return ` in ${names.slice(0, MAX_NAMED).join(", ")}${names.length > MAX_NAMED ? ", …" : ""}`;
}

/** Lines of source with their numbers; the frame's own is `isHere`. */
export function sourceLines(frame: TraceFrame): { number: number; text: string; isHere: boolean }[] {
  const { above = [], source, below = [], line = 0 } = frame;
  if (source === undefined) return [];
  return [...above, source, ...below].map((text, index) => ({
    number: line - above.length + index,
    text,
    isHere: index === above.length,
  }));
}

export type Kind = "word" | "string" | "number" | "comment" | "call" | "";

const TOKEN =
  /(?<comment>\/\/.*|#(?!\w*\{).*)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?<number>\b\d[\w.]*)|(?<word>\b(?:abstract|as|assert|async|await|begin|break|case|catch|class|const|continue|def|default|defer|del|do|echo|elif|else|elsif|end|ensure|except|extends|finally|fn|for|foreach|from|func|function|global|go|if|implements|import|in|instanceof|interface|is|lambda|let|match|module|my|namespace|new|nil|None|not|null|or|and|package|pass|private|protected|public|raise|require|rescue|return|self|static|struct|sub|super|switch|this|throw|throws|True|False|true|false|try|type|typeof|undef|unless|use|using|var|void|while|with|yield)\b)|(?<call>\b[A-Za-z_]\w*(?=\())/g;

/** A line of code in pieces, roughly coloured: right for most lines of most languages. */
export function tokens(line: string): { kind: Kind; text: string }[] {
  const pieces: { kind: Kind; text: string }[] = [];
  let end = 0;
  for (const match of line.matchAll(TOKEN)) {
    if (match.index > end) pieces.push({ kind: "", text: line.slice(end, match.index) });
    const kind = Object.entries(match.groups!).find(([, text]) => text !== undefined)![0] as Kind;
    pieces.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < line.length) pieces.push({ kind: "", text: line.slice(end) });
  return pieces;
}
