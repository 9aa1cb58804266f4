/**
 * The feed and its socket: what is asked of the server, how often what it says is painted, and
 * what a hidden tab does without.
 */

import { signal } from "@preact/signals";
import { ApiError, type Api } from "../api";
import { Feed, SNAPSHOT_ROWS, type Note } from "../feed";
import type { GapItem } from "../item";
import type { Span } from "../range";
import { Socket, type Channel, type SocketState, type Way } from "../socket";
import type { ClientMessage, Hello, ServerMessage } from "../wire";
import type { Boot } from "./boot";

/** Paints are one a frame, and one in so many milliseconds while errors storm. */
const STORM_PAINT_MS = 250;
/** A hidden tab gets counts only, once it has been hidden for so long. */
const HIDDEN_AFTER_MS = 10_000;
/** Of a gap, so much is fetched without being asked. */
const FILL_AT_ONCE = 2_000;
const PAGE_ROWS = 200;
/** Why a handshake is refused, as the close code that would have said it. */
const REFUSED: { [status: number]: number } = { 401: 4401, 403: 4403, 404: 4403, 410: 4403 };

export interface Watcher {
  query(): string;
  /** What the list is to show, by the clock of the server. */
  span(now: number): Span;
  snapshotCame(): void;
  /** The query has no meaning; `at` counts characters. */
  problem(message: string, at: number): void;
  note(note: Note): void;
  fail(error: unknown): void;
  /** How many errors came while the tab is hidden, 0 when it no longer is. */
  unseen(count: number): void;
  /** Everything the server says, also to a tab that nobody sees. */
  heard(message: ServerMessage): void;
}

export class Connection {
  readonly feed = new Feed(() => Date.now());
  readonly socket: Socket;
  /** Counts up with every paint: who draws from the feed reads it. */
  readonly painted = signal(0);
  readonly link = signal<SocketState>({ phase: "connecting", retryAt: 0, code: 0 });
  /** What was asked for last has come. */
  readonly settled = signal(false);

  private isPainting = false;
  private isAsking = false;
  private hiddenTimer = 0;
  private isHidden = false;
  /** What the server was told last: send counts only. */
  private isCounting = false;
  private unseen = 0;
  /** Gaps that the socket was asked for. */
  private readonly asked = new Set<GapItem>();

  constructor(
    private readonly boot: Boot,
    private readonly api: Api,
    private readonly watcher: Watcher,
  ) {
    this.feed.restart(this.watcher.span(this.feed.serverNow()));
    this.socket = new Socket(
      { start: () => this.start(), message: (m, bytes) => this.heard(m, bytes), state: (s) => this.linked(s) },
      { open: (way) => open(boot.base, way), now: () => Date.now(), random: () => Math.random(), after },
    );
  }

  /** Connect, and follow the tab and the network. */
  begin(): void {
    this.socket.open();
    if (this.feed.isPast) void this.readPast();
    addEventListener("online", () => this.socket.nudge());
    document.addEventListener("visibilitychange", () => this.visibilityChanged());
  }

  /** Ask anew: for another query, or another span of time. */
  ask(): void {
    this.settled.value = false;
    const epoch = this.feed.restart(this.watcher.span(this.feed.serverNow()));
    this.sendMode();
    this.socket.send({ type: "query", query: this.watcher.query(), epoch });
    if (this.feed.isPast) void this.readPast();
  }

  /** Load older errors below the list, unless it is full or they are being loaded. */
  more(): void {
    const { rows, epoch } = this.feed;
    const before = rows.oldest();
    if (rows.complete || rows.isFull || !this.settled.value || !before) return;
    if (this.feed.isPast) {
      this.settled.value = false;
      void this.readPast(before);
    } else {
      this.settled.value = !this.socket.send({ type: "more", before, epoch });
    }
  }

  /** Load what a gap row stands for: by its cursors, and where they are too old, by time. */
  async fill(gap: GapItem): Promise<void> {
    if (gap.state === "loading") return;
    const { from, to, state } = gap;
    gap.state = "loading";
    this.paintSoon();
    if (state === "open" && this.socket.send({ type: "fill", from, to, epoch: this.feed.epoch })) {
      this.asked.add(gap);
      return;
    }
    await this.fillByTime(gap);
    this.paintSoon();
  }

  /** Draw with the next frame, whatever storms: a hand waits for it. */
  paintNow(): void {
    requestAnimationFrame(() => this.painted.value++);
  }

  /** Draw with the next frame; while errors storm, a few times a second. */
  paintSoon(): void {
    if (this.isPainting) return;
    this.isPainting = true;
    const paint = () => {
      this.isPainting = false;
      this.painted.value++;
    };
    if (this.feed.isStorm) setTimeout(() => requestAnimationFrame(paint), STORM_PAINT_MS);
    else requestAnimationFrame(paint);
  }

  private start(): ClientMessage {
    const { cursor, epoch } = this.feed;
    const start: ClientMessage = { type: "start", query: this.watcher.query(), epoch, limit: SNAPSHOT_ROWS };
    return cursor ? { ...start, since: cursor } : start;
  }

  /** A tab nobody sees, and a list of history, need to know only how many errors come. */
  private sendMode(): void {
    const counts_only = this.isHidden || this.feed.isPast;
    if (counts_only !== this.isCounting && this.socket.send({ type: "mode", counts_only })) this.isCounting = counts_only;
  }

  /** Read the newest errors of a span that has ended; what the stream brings is not for this list. */
  private async readPast(before?: [at: number, id: string]): Promise<void> {
    const { epoch, span } = this.feed;
    try {
      const page = await this.api.errors({
        query: this.watcher.query(),
        limit: String(PAGE_ROWS),
        since: String(Math.round(span.since ?? 0)),
        until: String(Math.round(span.until ?? this.feed.serverNow())),
        ...(before ? { before: before.join(",") } : {}),
      });
      if (epoch !== this.feed.epoch) return;
      if (before) this.feed.addPage(page);
      else this.feed.showPast(page);
      this.settled.value = true;
    } catch (error) {
      if (epoch !== this.feed.epoch) return;
      this.settled.value = true;
      this.watcher.fail(error);
    }
    this.paintSoon();
  }

  private linked(state: SocketState): void {
    this.link.value = state;
    if (state.phase !== "live") this.forgetAsked();
    if (state.phase === "waiting" && state.code === 1006) void this.askWhy();
  }

  /** A refused handshake has no code to read: ask by HTTP whether this page may still look. */
  private async askWhy(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      await this.api.errors({ limit: "1" });
    } catch (error) {
      const code = error instanceof ApiError ? REFUSED[error.status] : undefined;
      if (code) {
        this.socket.close();
        this.link.value = { phase: "ended", retryAt: 0, code };
      }
    } finally {
      this.isAsking = false;
    }
  }

  private heard(message: ServerMessage, bytes: number): void {
    if (message.type === "hello") this.greeted(message);
    if (message.type === "problem" && message.epoch === this.feed.epoch) this.refused(message.message, message.at);
    const note = this.feed.apply(message, bytes);
    this.watcher.heard(message);
    if ((message.type === "snapshot" && !this.feed.isPast) || message.type === "page") this.settled.value = true;
    if (message.type === "snapshot") this.watcher.snapshotCame();
    if (message.type === "fill") this.asked.clear();
    if (message.type === "snapshot" || message.type === "fill") this.fillNext();
    if (message.type === "frame" && document.hidden) this.watcher.unseen((this.unseen += message.counts.total));
    if (note && !document.hidden) this.watcher.note(note);
    this.paintSoon();
  }

  private greeted({ version }: Hello): void {
    this.isHidden = document.hidden;
    this.isCounting = false;
    this.sendMode();
    if (version && version !== this.boot.version) reloadOnce(version);
  }

  private refused(message: string, at: number): void {
    this.settled.value = true;
    this.watcher.problem(message, at);
  }

  private visibilityChanged(): void {
    clearTimeout(this.hiddenTimer);
    this.watcher.unseen((this.unseen = 0));
    if (document.hidden) {
      const hide = () => {
        this.isHidden = true;
        this.sendMode();
      };
      this.hiddenTimer = window.setTimeout(hide, HIDDEN_AFTER_MS);
    } else {
      this.isHidden = false;
      this.socket.nudge();
      this.sendMode();
      this.fillNext();
    }
  }

  /** Load the newest gap that is small enough; the next one follows when it is here. */
  private fillNext(): void {
    const { items, waiting } = this.feed.rows;
    const isSmall = ({ state, count }: GapItem) => state === "open" && (count ?? Infinity) <= FILL_AT_ONCE;
    const next = [...items, ...waiting].findLast((item): item is GapItem => item.kind === "gap" && isSmall(item));
    if (next && !document.hidden && this.asked.size === 0) void this.fill(next);
  }

  /** No answer will come any more to what was asked: it may be asked again. */
  private forgetAsked(): void {
    for (const gap of this.asked) if (gap.state === "loading") gap.state = "open";
    this.asked.clear();
  }

  private async fillByTime(gap: GapItem): Promise<void> {
    const [older, newer] = this.feed.rows.around(gap);
    try {
      const page = await this.api.errors({
        query: this.watcher.query(),
        limit: String(PAGE_ROWS),
        ...(newer ? { before: `${newer.at},${newer.id}` } : {}),
        ...(older ? { since: String(older.at) } : {}),
      });
      this.feed.rows.fill(gap, page.errors, page.complete && page.errors.length < PAGE_ROWS, 0);
    } catch (error) {
      gap.state = "partial";
      this.watcher.fail(error);
    }
  }
}

export function open(base: string, way: Way): Channel {
  const url = new URL(`${base}/live`, location.href);
  if (way === "events") return later(async () => {
    const { EventChannel } = await import("../events");
    return () => new EventChannel(url.href);
  });
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url.href) as unknown as Channel;
}

/** A channel whose code comes first: few pages ever need it. It opens once it has its listeners. */
function later(load: () => Promise<() => Channel>): Channel {
  let inner: Channel | null = null;
  let isClosed = false;
  const outer: Channel = {
    get readyState() {
      return inner?.readyState ?? 0;
    },
    send: (text) => inner?.send(text),
    close: () => {
      isClosed = true;
      inner?.close();
    },
    onopen() {},
    onmessage() {},
    onclose() {},
  };
  load().then(
    (make) => {
      if (isClosed) return;
      const channel = (inner = make());
      channel.onopen = (event) => outer.onopen?.(event);
      channel.onmessage = (event) => outer.onmessage?.(event);
      channel.onclose = (event) => outer.onclose?.(event);
    },
    () => outer.onclose?.({ code: 1006 }),
  );
  return outer;
}

export function after(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}

/** The server has another version than this page: load its page, but never in a circle. */
function reloadOnce(version: string): void {
  if (sessionStorage.getItem("reloaded-for") === version) return;
  sessionStorage.setItem("reloaded-for", version);
  location.reload();
}
