/**
 * One connection that keeps itself alive: jittered backoff, at once when the network or the
 * tab returns, and a watchdog on the server's heartbeats. Where no websocket gets through it takes
 * a stream of events instead, and tries a websocket again later. Knows no page and keeps no errors.
 */

import { CLOSED, decode, encode, type ClientMessage, type ServerMessage } from "./wire";

/** The server sends a frame at least every 5 s; silence beyond this ends the connection. */
export const SILENCE_MS = 15_000;
export const PING_MS = 10_000;
export const FIRST_PING_MS = 1_500;
export const FIRST_WAIT_MS = 400;
export const LONGEST_WAIT_MS = 15_000;

/** With a stream of events, a websocket is tried again so often. */
export const WEBSOCKET_AGAIN_MS = 120_000;
/** Websockets that never greet, one after the other, before a stream of events is tried. */
export const REFUSED = 2;

export type Way = "websocket" | "events";
export type Phase = "connecting" | "live" | "waiting" | "ended";

/** `retryAt` is set while waiting; `code` is the close code of the last connection, 0 before. */
export interface SocketState {
  phase: Phase;
  retryAt: number;
  code: number;
}

/** The part of a WebSocket that is used, so that tests can stand in for one. */
export interface Channel {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
}

export interface Surroundings {
  open(way: Way): Channel;
  now(): number;
  random(): number;
  after(ms: number, call: () => void): () => void;
}

export interface Listener {
  /** The first message of a connection. */
  start(): ClientMessage;
  /** `bytes` is the length of the frame's text. */
  message(message: ServerMessage, bytes: number): void;
  state(state: SocketState): void;
}

const OPEN = 1;
const TRIPS = 5;
const FINAL: readonly number[] = [CLOSED.signIn, CLOSED.revoked, CLOSED.deleted];

/** How long to wait before try `attempt` (0 for the first): doubled, and spread by half. */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.5 + random / 2));
}

export class Socket {
  private trips: number[] = [];

  private channel: Channel | null = null;
  private state: SocketState = { phase: "connecting", retryAt: 0, code: 0 };
  private attempt = 0;
  private retryS = 0;
  private heardAt = 0;
  /** What carries the connection in hand. */
  way: Way = "websocket";
  private favourite: Way = "websocket";
  private cancelRetry = () => {};
  private cancelProbe = () => {};
  private cancelWatch = () => {};

  constructor(
    private readonly listener: Listener,
    private readonly around: Surroundings,
  ) {}

  open(): void {
    this.cancelRetry();
    this.say({ phase: "connecting", retryAt: 0 });
    this.way = this.choose();
    const channel = this.around.open(this.way);
    this.channel = channel;
    this.heardAt = this.around.now();
    channel.onopen = () => channel.send(encode(this.listener.start()));
    channel.onmessage = (event) => this.heard(channel, String(event.data));
    channel.onclose = (event) => this.closed(channel, event.code);
    this.watch();
  }

  /** Send when connected; false when not, and nothing is queued: a reconnect starts afresh. */
  send(message: ClientMessage): boolean {
    if (this.channel?.readyState !== OPEN || this.state.phase !== "live") return false;
    this.channel.send(encode(message));
    return true;
  }

  /** The network or the tab is back: do not sit out the wait, and doubt a silent connection. */
  nudge(): void {
    if (this.state.phase === "waiting") {
      this.attempt = 0;
      this.open();
    } else if (this.silentMs() > SILENCE_MS / 2) {
      this.drop();
    }
  }

  close(): void {
    this.cancelRetry();
    this.cancelProbe();
    this.drop(false);
    this.say({ phase: "ended", retryAt: 0 });
  }

  /** Milliseconds of a ping's round trip, the shortest of the last few: a busy page delays some. */
  get roundTripMs(): number {
    return this.trips.length > 0 ? Math.max(0, Math.min(...this.trips)) : 0;
  }

  /** Milliseconds since the server was last heard. */
  silentMs(): number {
    return this.around.now() - this.heardAt;
  }

  private heard(channel: Channel, text: string): void {
    if (channel !== this.channel) return;
    this.heardAt = this.around.now();
    const message = decode(text);
    if (!message) return;
    if (message.type === "pong") this.trips = [this.heardAt - message.at, ...this.trips].slice(0, TRIPS);
    if (message.type === "bye") this.retryS = message.retry_s;
    if (message.type === "hello") this.greeted();
    this.listener.message(message, text.length);
  }

  private greeted(): void {
    this.attempt = 0;
    this.favourite = this.way;
    this.say({ phase: "live", retryAt: 0, code: 0 });
    this.watch(FIRST_PING_MS);
    this.cancelProbe();
    if (this.way === "events") this.cancelProbe = this.around.after(WEBSOCKET_AGAIN_MS, () => this.probe());
  }

  /** By turns, once one of them was refused: the server may be away for both. */
  private choose(): Way {
    const isEven = this.attempt % 2 === 0;
    if (this.favourite === "events") return isEven ? "events" : "websocket";
    return isEven && this.attempt >= REFUSED ? "events" : "websocket";
  }

  /** See whether a websocket gets through by now, beside the events; the first word decides. */
  private probe(): void {
    const channel = this.around.open("websocket");
    const ended = this.around.after(PING_MS, () => channel.close());
    channel.onmessage = () => {
      channel.close();
      ended();
      this.favourite = "websocket";
      this.attempt = 0;
      this.drop(false);
      this.open();
    };
    channel.onclose = () => {
      ended();
      this.cancelProbe = this.around.after(WEBSOCKET_AGAIN_MS, () => this.probe());
    };
    this.cancelProbe = () => {
      channel.onmessage = channel.onclose = null;
      ended();
      channel.close();
    };
  }

  private closed(channel: Channel, code: number): void {
    if (channel !== this.channel) return;
    this.channel = null;
    this.cancelWatch();
    if (FINAL.includes(code)) return this.say({ phase: "ended", retryAt: 0, code });
    const asked = this.retryS * 1000 * (0.5 + this.around.random());
    const wait = Math.max(asked, backoffMs(this.attempt, this.around.random()));
    this.attempt += 1;
    this.retryS = 0;
    this.say({ phase: "waiting", retryAt: this.around.now() + wait, code });
    this.cancelRetry = this.around.after(wait, () => this.open());
  }

  /** Ping soon after the greeting, when the page has drawn, then now and again. */
  private watch(ms = PING_MS): void {
    this.cancelWatch();
    this.cancelWatch = this.around.after(ms, () => {
      if (this.silentMs() >= (this.state.phase === "live" ? SILENCE_MS : PING_MS)) return this.drop();
      this.ping();
      this.watch();
    });
  }

  private ping(): void {
    this.send({ type: "ping", at: Math.round(this.around.now()) });
  }

  /** Leave a connection without waiting for its closing handshake. */
  private drop(retry = true): void {
    const channel = this.channel;
    if (!channel) return;
    if (retry) this.closed(channel, 1006);
    this.channel = null;
    this.cancelWatch();
    channel.close();
  }

  private say(change: Partial<SocketState>): void {
    this.state = { ...this.state, ...change };
    this.listener.state(this.state);
  }
}
