/**
 * What the socket carries, as types, and the reading of it: text in, one message out.
 * Times are milliseconds since 1970. Members the server left out come back as empty ones.
 */

export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };
export type Fields = { [name: string]: Json };

export const LEVELS = ["fatal", "error", "warning", "info", "debug"] as const;
export type Level = (typeof LEVELS)[number];
export type Levels = Partial<Record<Level, number>>;
export type Status = "open" | "resolved" | "ignored";

export interface Cut {
  body_bytes?: number;
  fields?: number;
  names?: number;
}

export interface LogMessage {
  id: string;
  at: number;
  text?: string;
  json?: boolean;
  fields?: Fields;
}

/** One error. In lists its fields are cut to about 4 KB; `more` says so. */
export interface Row {
  id: string;
  at: number;
  issue: string;
  level: Level;
  type: string;
  title: string;
  where: string;
  fields: Fields;
  more?: boolean;
  change?: boolean;
  before?: LogMessage[];
  cut?: Cut;
  scrubbed?: string[];
  /** What it was the first in its stack to have: `issue`, `field:plan`, `value:release=2.4.1`. */
  new?: string[];
}

/** One call of a stack trace. `app`: the program's own code; `library`: whose it is, where known. */
export interface TraceFrame {
  app?: boolean;
  library?: string;
  file?: string;
  function?: string;
  line?: number;
  column?: number;
  source?: string;
  above?: string[];
  below?: string[];
}

export interface Issue {
  id: string;
  title: string;
  type: string;
  level: Level;
  where: string;
  first_seen_at: number;
  last_seen_at: number;
  count: number;
  status: Status;
  regressed_at: number | null;
  /** It was ignored, which ended by itself. */
  returned_at?: number;
  /** It is ignored until then, or until it counts so many. */
  until_at?: number;
  until_count?: number;
  /** When a member last said something of it. */
  status_at?: number;
  /** Different users; `more_users`: there are more than that. */
  users?: number;
  more_users?: boolean;
  /** The issue that it was merged into: it is shown no more. */
  into?: string;
}

/** Something that was done: set by a member, a program's token, or anybody with the stack key. */
export interface Marker {
  id: string;
  at: number;
  text: string;
  origin: "member" | "token" | "key";
  removed?: boolean;
}

/** Every new error of a frame: sent, skipped, or folded: not sent, as the frame has its issue (by id). */
export interface Counts {
  total: number;
  levels: Levels;
  folded: Record<string, number>;
}

export interface Refused {
  reason: string;
  count: number;
  at: number;
}

export type Minute = [at: number, levels: Levels];

export interface Hello {
  type: "hello";
  version: string;
  server_time: number;
  viewers: number;
}

/** Newest errors first; with `recovered` they are what was missed since the cursor given. */
export interface Snapshot {
  type: "snapshot";
  epoch: number;
  errors: Row[];
  logs: LogMessage[];
  minutes: Minute[];
  issues: Issue[];
  markers: Marker[];
  cursor: string;
  recovered: boolean;
  reached_at: number | null;
  complete: boolean;
}

/** Errors in the stream's order, oldest first. `skipped` errors came before them and were counted only. */
export interface Frame {
  type: "frame";
  epoch: number;
  errors: Row[];
  logs: LogMessage[];
  issues: Issue[];
  markers: Marker[];
  counts: Counts;
  refused: Refused[];
  cursor: string;
  lag_ms: number;
  skipped: number;
}

export interface Page {
  type: "page";
  epoch: number;
  errors: Row[];
  reached_at: number | null;
  complete: boolean;
}

export interface Fill {
  type: "fill";
  epoch: number;
  from: string;
  to: string;
  errors: Row[];
  logs: LogMessage[];
  complete: boolean;
}

/** Who watches the stack, in all processes. Viewers of a share link are told the number alone. */
export interface Presence {
  type: "presence";
  viewers: number;
  members: { email: string; viewers: number }[];
  links: { id: string; name: string; viewers: number }[];
}

/** An error that a member keeps at the top for everybody; `by` is told to members. */
export interface Pin {
  error: Row;
  note: string;
  at: number;
  by?: string;
}

/** A trap caught so many errors since it was told of last; `message`: its query has no meaning. */
export interface TrapTold {
  type: "trap";
  id: string;
  count: number;
  error?: Row;
  message?: string;
}

export type ServerMessage =
  | Hello
  | Snapshot
  | Frame
  | Page
  | Fill
  | Presence
  | { type: "pins"; pins: Pin[] }
  | TrapTold
  | { type: "traps"; ids: string[] }
  | { type: "pong"; at: number }
  | { type: "problem"; epoch: number; message: string; at: number }
  | { type: "bye"; code: number; retry_s: number };

export type ClientMessage =
  | { type: "start"; query: string; epoch: number; limit: number; since?: string }
  | { type: "query"; query: string; epoch: number }
  | { type: "more"; before: [at: number, id: string]; epoch: number }
  | { type: "fill"; from: string; to: string; epoch: number }
  | { type: "mode"; counts_only: boolean }
  | { type: "ping"; at: number }
  | { type: "traps"; traps: { id: string; query: string; since?: number }[] };

export const CLOSED = { signIn: 4401, revoked: 4403, deleted: 4404, bad: 4400, restart: 1012, slow: 1013 } as const;

const BLANKS: { [type: string]: object } = {
  hello: { version: "", server_time: 0, viewers: 0 },
  snapshot: {
    epoch: 0, errors: [], logs: [], minutes: [], issues: [], markers: [],
    cursor: "", recovered: false, reached_at: null, complete: true,
  },
  frame: {
    epoch: 0, errors: [], logs: [], issues: [], markers: [], counts: { total: 0, levels: {}, folded: {} },
    refused: [], cursor: "", lag_ms: 0, skipped: 0,
  },
  page: { epoch: 0, errors: [], reached_at: null, complete: true },
  fill: { epoch: 0, from: "", to: "", errors: [], logs: [], complete: false },
  presence: { viewers: 0, members: [], links: [] },
  pins: { pins: [] },
  trap: { id: "", count: 0 },
  traps: { ids: [] },
  pong: { at: 0 },
  problem: { epoch: 0, message: "", at: 0 },
  bye: { code: 1000, retry_s: 0 },
};

/** Read one text frame; null for a type this page does not know (a newer server's). */
export function decode(text: string): ServerMessage | null {
  const message = parseJson(text) as { type?: unknown; counts?: object } | null;
  const type = message?.type;
  const blank = typeof type === "string" && Object.hasOwn(BLANKS, type) ? BLANKS[type] : undefined;
  if (!message || !blank) return null;
  if (message.counts) message.counts = { total: 0, levels: {}, folded: {}, ...message.counts };
  return { ...blank, ...message } as unknown as ServerMessage;
}

export function encode(message: ClientMessage): string {
  return JSON.stringify(message);
}

const LONG_INTEGER = /[:[,]\s*-?\d{16,}\s*[,\]}]/;

/** `JSON.parse` that keeps integers beyond 2^53 exact, as bigint, where the engine can tell. */
export function parseJson(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  return JSON.parse(text, exactInteger as (key: string, value: unknown) => unknown);
}

function exactInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || Number.isSafeInteger(value) || !source) return value;
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** `JSON.stringify` for values that may hold bigint: written as the digits they are. */
export function stringify(value: Json | Row, indent = 0): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? raw(item) : item), indent);
}

function raw(value: bigint): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };
  return rawJSON ? rawJSON(String(value)) : String(value);
}
