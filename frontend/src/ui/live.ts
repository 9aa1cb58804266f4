/**
 * The live view's working: one feed, one socket, and what a person has chosen, as signals that
 * the parts of the page read. The parts call its verbs; nothing here draws.
 */

import { batch, computed, signal } from "@preact/signals";
import { Api, ApiError, type WholeError } from "../api";
import { copyText } from "../clipboard";
import { usualColumns } from "../facets";
import { Feed, SNAPSHOT_ROWS, times, type ErrorItem, type GapItem, type Item, type Note } from "../feed";
import { Socket, type Channel, type SocketState } from "../socket";
import { plain, plural } from "../text";
import { readView, writeView, type Mode, type Tab } from "../view";
import type { ClientMessage, Issue, Row, ServerMessage, Status } from "../wire";
import { TOP_PX } from "./list";
import { placeOf } from "./query-text";

/** What the server says to the page in its `#boot` element. */
export interface Boot {
  version: string;
  /** Where the data and the pages of this view are. */
  base: string;
  page: string;
  stack: { name: string };
  share: { name: string; with_logs: boolean } | null;
  member: { email: string } | null;
  readonly: boolean;
  query: string;
  /** Ready to paste, with the real key; empty for viewers of a share link. */
  snippets: { name: string; label: string; text: string }[];
  submit_url: string;
  /** The stack's newest key, for members. */
  key: string | null;
}

export interface Said {
  text: string;
  bad: boolean;
}

export type PausedBy = "scroll" | "row" | "hand" | null;
export type Dialog = "share" | "help" | null;

/** Paints are one a frame, and one in so many milliseconds while errors storm. */
const STORM_PAINT_MS = 250;
const NOTE_MS = 4_000;
/** A hidden tab gets counts only, once it has been hidden for so long. */
const HIDDEN_AFTER_MS = 10_000;
/** Of a gap, so much is fetched without being asked. */
const FILL_AT_ONCE = 2_000;
const PAGE_ROWS = 200;
const ISSUES_LOADED = 300;

export class Live {
  readonly feed: Feed;
  readonly api: Api;
  readonly socket: Socket;

  /** Counts up with every paint: who draws from the feed reads it. */
  readonly painted = signal(0);
  /** Counts up every second: ages, lamps and rates read it. */
  readonly second = signal(0);
  readonly link = signal<SocketState>({ phase: "connecting", retryAt: 0, code: 0 });
  readonly query = signal("");
  readonly problem = signal<{ message: string; at: number } | null>(null);
  readonly mode = signal<Mode>("stream");
  /** The row the keyboard is at, and the error that is open; when one is open, it is both. */
  readonly at = signal<string | null>(null);
  readonly selected = signal<string | null>(null);
  readonly whole = signal<WholeError | null>(null);
  readonly wholeProblem = signal("");
  readonly tab = signal<Tab>("trace");
  readonly columns = signal<readonly string[]>([]);
  readonly pausedBy = signal<PausedBy>(null);
  readonly said = signal<Said | null>(null);
  readonly dialog = signal<Dialog>(null);
  readonly sheet = signal<"fields" | null>(null);
  readonly settled = signal(false);
  readonly canWrite: boolean;

  readonly isPaused = computed(() => this.pausedBy.value !== null);
  /** Nothing has ever arrived, as far as this view can know. */
  readonly isEmpty = computed(() => {
    this.painted.value;
    return this.feed.ready && this.query.value === "" && this.feed.kept === 0 && this.feed.issues.size === 0;
  });

  /** Set by the list when it is on the page. */
  list: { toTop(): void; reveal(item: Item): void; top: number } | null = null;
  /** The issues as they are listed, for the keyboard. */
  listed: readonly Issue[] = [];
  focusQuery: () => void = () => {};

  /** Minutes that the histogram shows; a snapshot brings an hour of them. */
  private minutesShown = 60;
  private isPainting = false;
  private columnsChosen = false;
  private isAsking = false;
  private hiddenTimer = 0;
  private noteTimer = 0;
  private seenWhileHidden = 0;

  constructor(readonly boot: Boot) {
    this.feed = new Feed(() => Date.now());
    this.api = new Api(boot.base);
    this.canWrite = !boot.readonly;
    const view = readView(location.search);
    this.query.value = view.query;
    this.mode.value = view.mode;
    this.at.value = this.selected.value = view.error;
    this.tab.value = view.tab;
    this.chooseFirstColumns(view.columns);
    this.feed.restart();
    this.socket = new Socket(
      { start: () => this.start(), message: (m, bytes) => this.heard(m, bytes), state: (s) => this.linked(s) },
      {
        open: () => new WebSocket(socketUrl(boot.base)) as unknown as Channel,
        now: () => Date.now(),
        random: () => Math.random(),
        after: (ms, call) => {
          const timer = setTimeout(call, ms);
          return () => clearTimeout(timer);
        },
      },
    );
  }

  /** Connect, and follow the tab, the network and the address. */
  begin(): void {
    this.socket.open();
    setInterval(() => this.second.value++, 1_000);
    addEventListener("online", () => this.socket.nudge());
    addEventListener("popstate", () => this.readAddress());
    document.addEventListener("visibilitychange", () => this.visibilityChanged());
    if (this.selected.value) void this.loadWhole(this.selected.value);
  }

  // --- The stream

  private start(): ClientMessage {
    const { cursor, epoch } = this.feed;
    const start: ClientMessage = { type: "start", query: this.query.value, epoch, limit: SNAPSHOT_ROWS };
    return cursor ? { ...start, since: cursor } : start;
  }

  private linked(state: SocketState): void {
    this.link.value = state;
    if (state.phase === "waiting" && state.code !== 1012) void this.askWhy();
  }

  /** A refused handshake has no code to read: ask by HTTP whether this page may still look. */
  private async askWhy(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      await this.api.errors({ limit: "1" });
    } catch (error) {
      const code = error instanceof ApiError ? { 401: 4401, 403: 4403, 404: 4403, 410: 4403 }[error.status] : 0;
      if (code) {
        this.socket.close();
        this.link.value = { phase: "ended", retryAt: 0, code };
      }
    } finally {
      this.isAsking = false;
    }
  }

  private heard(message: ServerMessage, bytes: number): void {
    if (message.type === "hello") return this.greeted(message.version, message, bytes);
    if (message.type === "problem") {
      if (message.epoch === this.feed.epoch) {
        this.problem.value = { message: message.message, at: placeOf(this.query.value, message.at) };
        this.settled.value = true;
      }
      return;
    }
    if (message.type === "frame" && document.hidden) this.seenWhileHidden += message.counts.total;
    const note = this.feed.apply(message, bytes);
    if (message.type === "snapshot") this.snapshotCame();
    if (message.type === "page") this.settled.value = true;
    if (note) this.tell(note);
    this.paintSoon();
    if (document.hidden) this.nameTab();
  }

  private greeted(version: string, message: ServerMessage, bytes: number): void {
    this.feed.apply(message, bytes);
    if (document.hidden) this.socket.send({ type: "mode", counts_only: true });
    if (version && version !== this.boot.version) reloadOnce(version);
    this.paintSoon();
  }

  private snapshotCame(): void {
    this.problem.value = null;
    this.settled.value = true;
    if (this.minutesShown > 60 || this.query.value !== "" || this.boot.share) void this.loadMinutes(this.minutesShown);
    if (!this.columnsChosen && this.columns.value.length === 0) {
      this.columns.value = usualColumns(this.feed.items.flatMap((item) => (item.kind === "error" ? [item.row] : [])));
    }
  }

  private tell(note: Note): void {
    if (note.kind === "caught-up") this.say(`Caught up ${note.count}, missed ${note.missed}`);
    else if (!document.hidden) this.say("Some errors were missed; their row can load them");
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

  private visibilityChanged(): void {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) {
      this.seenWhileHidden = 0;
      const hide = () => this.socket.send({ type: "mode", counts_only: true });
      this.hiddenTimer = window.setTimeout(hide, HIDDEN_AFTER_MS);
      return;
    }
    this.seenWhileHidden = 0;
    this.nameTab();
    this.socket.nudge();
    this.socket.send({ type: "mode", counts_only: false });
    this.fillWhatWasHidden();
  }

  private fillWhatWasHidden(): void {
    const last = [...this.feed.items, ...this.feed.waiting].findLast((item) => item.kind === "gap");
    if (last && last.state === "open" && (last.count ?? Infinity) <= FILL_AT_ONCE) void this.fill(last);
  }

  private nameTab(): void {
    const count = this.seenWhileHidden;
    document.title = `${count > 0 ? `(${count}) ` : ""}${plain(this.boot.share?.name || this.boot.stack.name)} · ErrorStack Live`;
  }

  /** Load what a gap row stands for: by its cursors, and where they are too old, by time. */
  async fill(gap: GapItem): Promise<void> {
    if (gap.state === "loading") return;
    const isFirst = gap.state === "open";
    this.feed.loading(gap);
    this.paintSoon();
    const { from, to } = gap;
    if (isFirst && this.socket.send({ type: "fill", from, to, epoch: this.feed.epoch })) return;
    await this.fillByTime(gap);
    this.paintSoon();
  }

  private async fillByTime(gap: GapItem): Promise<void> {
    const [older, newer] = this.feed.around(gap);
    try {
      const page = await this.api.errors({
        query: this.query.value,
        limit: String(PAGE_ROWS),
        ...(newer ? { before: `${newer.at},${newer.id}` } : {}),
        ...(older ? { since: String(older.at) } : {}),
      });
      this.feed.close(gap, page.errors, page.complete && page.errors.length < PAGE_ROWS);
    } catch (error) {
      gap.state = "partial";
      this.fail(error);
    }
  }

  /** Load older errors below the list, unless it is full or being loaded. */
  more(): void {
    const before = this.feed.oldest();
    if (this.feed.complete || this.feed.isFull || !this.settled.value || !before) return;
    this.settled.value = !this.socket.send({ type: "more", before, epoch: this.feed.epoch });
  }

  // --- What is looked at

  setQuery(query: string): void {
    const text = query.trim();
    this.problem.value = null;
    if (text === this.query.value) return;
    batch(() => {
      this.query.value = text;
      this.settled.value = false;
      this.resume();
    });
    const epoch = this.feed.restart();
    this.socket.send({ type: "query", query: text, epoch });
    this.writeAddress();
  }

  setMode(mode: Mode): void {
    this.mode.value = mode;
    this.writeAddress(true);
  }

  setTab(tab: Tab): void {
    this.tab.value = tab;
    this.writeAddress(true);
  }

  toggleColumn(name: string): void {
    const had = this.columns.value;
    this.columns.value = had.includes(name) ? had.filter((each) => each !== name) : [...had, name].slice(-4);
    this.columnsChosen = true;
    localStorage.setItem(this.columnsKey, JSON.stringify(this.columns.value));
    this.writeAddress(true);
    this.paintSoon();
  }

  private get columnsKey(): string {
    return `columns:${this.boot.page}`;
  }

  private chooseFirstColumns(named: string[] | null): void {
    const stored = named ?? storedList(this.columnsKey);
    this.columnsChosen = stored !== null;
    this.columns.value = stored ?? [];
  }

  private readAddress(): void {
    const view = readView(location.search);
    batch(() => {
      this.mode.value = view.mode;
      this.tab.value = view.tab;
    });
    if (view.error) this.open(view.error);
    else this.close();
    this.setQuery(view.query);
  }

  /** Name the view in the address; a step back leads over queries and opened rows. */
  private writeAddress(replace = false): void {
    const search = writeView({
      query: this.query.value,
      mode: this.mode.value,
      error: this.selected.value,
      tab: this.tab.value,
      columns: this.columnsChosen ? [...this.columns.value] : null,
    });
    if (search === location.search) return;
    history[replace ? "replaceState" : "pushState"](null, "", location.pathname + search);
  }

  /** Show so many minutes in the histogram. */
  async loadMinutes(count: number): Promise<void> {
    this.minutesShown = count;
    try {
      const since = String(Math.round(this.feed.serverNow()) - count * 60_000);
      const { minutes } = await this.api.minutes({ query: this.query.value, since });
      this.feed.minutes.replace(minutes);
    } catch (error) {
      this.fail(error);
    }
    this.paintSoon();
  }

  // --- Pausing

  /** Stop the list where it is; what comes is counted in the pill. */
  pause(by: Exclude<PausedBy, null>): void {
    this.pausedBy.value ??= by;
    this.feed.pause();
  }

  resume(): void {
    this.pausedBy.value = null;
    this.feed.resume();
    this.list?.toTop();
    this.paintSoon();
  }

  togglePause(): void {
    if (this.isPaused.value) this.resume();
    else this.pause("hand");
  }

  scrolled(top: number): void {
    if (top > TOP_PX) this.pause("scroll");
    else if (this.pausedBy.value === "scroll" && top <= 0) this.resume();
  }

  // --- One error

  open(id: string): void {
    const wasOpen = this.selected.value !== null;
    batch(() => {
      this.at.value = id;
      this.selected.value = id;
      this.wholeProblem.value = "";
    });
    this.pause("row");
    this.writeAddress(wasOpen);
    void this.loadWhole(id);
    this.paintSoon();
  }

  close(): void {
    if (this.selected.value === null && this.at.value === null) return;
    batch(() => {
      this.at.value = null;
      this.selected.value = null;
      this.whole.value = null;
    });
    this.writeAddress(true);
    if (this.pausedBy.value === "row") {
      if ((this.list?.top ?? 0) > TOP_PX) this.pausedBy.value = "scroll";
      else this.resume();
    }
    this.paintSoon();
  }

  /** The opened error: whole as soon as it is loaded, before that what the list has. */
  get opened(): WholeError | Row | null {
    return this.known(this.selected.value);
  }

  /** The error that keys act on. */
  get current(): WholeError | Row | null {
    return this.known(this.at.value);
  }

  private known(id: string | null): WholeError | Row | null {
    if (id === null) return null;
    const whole = this.whole.value;
    if (whole?.id === id) return whole;
    const item = this.feed.find(id);
    return item ? (item.row.id === id ? item.row : (item.folded.find((row) => row.id === id) ?? null)) : null;
  }

  private async loadWhole(id: string): Promise<void> {
    try {
      const whole = await this.api.error(id);
      if (this.selected.value === id) this.whole.value = whole;
    } catch (error) {
      if (this.selected.value === id) this.wholeProblem.value = words(error);
    }
  }

  /** Close what is on top: a sheet, the opened error, then the pause. */
  escape(): void {
    if (this.sheet.value) this.sheet.value = null;
    else if (this.at.value !== null) this.close();
    else if (this.isPaused.value) this.resume();
  }

  toggleFields(): void {
    this.sheet.value = this.sheet.value === "fields" ? null : "fields";
  }

  /** Go `by` rows down (older); when an error is open, the one that is reached opens. */
  move(by: number): void {
    if (this.mode.value === "grouped") return this.moveIssue(by);
    const { items } = this.feed;
    let at = items.findIndex((item) => item.kind === "error" && holds(item, this.at.value));
    at = at < 0 ? items.length - 1 : at - by;
    while (items[at] && items[at]!.kind !== "error") at -= Math.sign(by) || 1;
    const next = items[at];
    if (next?.kind !== "error") return;
    if (this.selected.value !== null) this.open(next.row.id);
    else this.stay(next.row.id);
    this.list?.reveal(next);
  }

  private moveIssue(by: number): void {
    const at = this.listed.findIndex((issue) => issue.id === this.opened?.issue);
    const next = this.listed[at < 0 ? 0 : at + by];
    if (next) void this.openIssue(next.id);
  }

  /** Be at a row without opening it. */
  private stay(id: string): void {
    this.at.value = id;
    this.pause("row");
    this.paintSoon();
  }

  /** Open the row the keyboard is at, or the newest. */
  enter(): void {
    if (this.at.value === null) this.move(1);
    if (this.at.value !== null) this.open(this.at.value);
  }

  unfold(): void {
    const item = this.at.value === null ? undefined : this.feed.find(this.at.value);
    if (!item || times(item) < 2) return;
    if (item.folded.length === 0) this.say(`${plural(item.unsent, "repeat")} counted, not sent: filter by issue to list them`);
    this.feed.unfold(item);
    this.paintSoon();
  }

  // --- Issues

  /** Load issues of one state, or all, beside those the stream has told of. */
  async loadIssues(status: Status | "all"): Promise<void> {
    try {
      const { issues } = await this.api.issues({ status, limit: String(ISSUES_LOADED) });
      for (const issue of issues) this.feed.issues.set(issue.id, issue);
    } catch (error) {
      this.fail(error);
    }
    this.paintSoon();
  }

  /** Open the newest error of an issue. */
  async openIssue(issue: string): Promise<void> {
    const item = this.feed.items.findLast((each) => each.kind === "error" && each.row.issue === issue);
    if (item?.kind === "error") return this.open(item.row.id);
    try {
      const { errors } = await this.api.errors({ issue, limit: "1" });
      if (errors[0]) this.open(errors[0].id);
      else this.say("Its errors are older than the stack keeps them");
    } catch (error) {
      this.fail(error);
    }
  }

  async setStatus(id: string, status: Status): Promise<void> {
    if (!this.canWrite) return;
    const known = this.feed.issues.get(id);
    try {
      const issue = await this.api.setStatus(id, status);
      this.feed.issues.set(id, issue?.id === id ? issue : { ...(known as Issue), status });
      this.say({ resolved: "Resolved", ignored: "Ignored", open: "Reopened" }[status]);
    } catch (error) {
      this.fail(error);
    }
    this.paintSoon();
  }

  async sendTest(): Promise<void> {
    try {
      await this.api.sendTest();
      this.say("A test error is on its way");
    } catch (error) {
      this.fail(error);
    }
  }

  // --- Words

  say(text: string, bad = false): void {
    this.said.value = { text, bad };
    clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => (this.said.value = null), NOTE_MS);
  }

  fail(error: unknown): void {
    this.say(words(error), true);
  }

  async copy(text: string, what: string): Promise<void> {
    if (await copyText(text)) this.say(`${what} copied`);
    else this.say("The browser does not let this page copy", true);
  }
}

function holds(item: ErrorItem, id: string | null): boolean {
  return id !== null && (item.row.id === id || item.folded.some((row) => row.id === id));
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function socketUrl(base: string): string {
  const url = new URL(`${base}/live`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The server has another version than this page: load its page, but never in a circle. */
function reloadOnce(version: string): void {
  if (sessionStorage.getItem("reloaded-for") === version) return;
  sessionStorage.setItem("reloaded-for", version);
  location.reload();
}

function storedList(key: string): string[] | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : null;
  } catch {
    return null;
  }
}
