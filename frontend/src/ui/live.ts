/**
 * The live view's verbs and state: what its parts read as signals and call when someone clicks or
 * types. Nothing here draws.
 */

import { batch, computed, signal } from "@preact/signals";
import { Api, type WholeError } from "../api";
import { copyText } from "../clipboard";
import { holds, times, type Item } from "../item";
import { plain, plural } from "../text";
import type { Mode, Tab } from "../view";
import type { Issue, Row, Status } from "../wire";
import type { Boot } from "./boot";
import { Chosen } from "./chosen";
import { Connection } from "./connection";
import { TOP_PX } from "./list";
import { placeOf } from "./query-text";

export interface Said {
  text: string;
  bad: boolean;
}

export type PausedBy = "scroll" | "row" | "hand" | null;
export type Dialog = "share" | "help" | null;

const NOTE_MS = 4_000;
const ISSUES_LOADED = 300;
/** A snapshot brings this many minutes for the histogram. */
const SNAPSHOT_MINUTES = 60;
const STATUS_WORDS: Record<Status, string> = { resolved: "Resolved", ignored: "Ignored", open: "Reopened" };

export class Live {
  readonly api: Api;
  readonly chosen: Chosen;
  readonly connection: Connection;

  /** Counts up every second: ages, lamps and rates read it. */
  readonly second = signal(0);
  readonly problem = signal<{ message: string; at: number } | null>(null);
  readonly whole = signal<WholeError | null>(null);
  readonly wholeProblem = signal("");
  readonly pausedBy = signal<PausedBy>(null);
  readonly said = signal<Said | null>(null);
  readonly dialog = signal<Dialog>(null);
  readonly sheet = signal<"fields" | null>(null);
  /** Only the newest errors were counted for the histogram: there are more. */
  readonly areMinutesCut = signal(false);
  readonly canWrite: boolean;

  readonly isPaused = computed(() => this.pausedBy.value !== null);
  /** Nothing has ever arrived, as far as this view can know. */
  readonly isEmpty = computed(() => {
    this.painted.value;
    const { feed } = this;
    return feed.ready && this.query.value === "" && feed.rows.kept === 0 && feed.issues.size === 0;
  });

  /** Set by the list when it is on the page. */
  list: { toTop(): void; reveal(item: Item): void; top: number } | null = null;
  /** The issues as they are listed, for the keyboard. */
  listed: readonly Issue[] = [];
  focusQuery: () => void = () => {};

  private minutesShown = SNAPSHOT_MINUTES;
  private noteTimer = 0;

  constructor(readonly boot: Boot) {
    this.api = new Api(boot.base);
    this.canWrite = !boot.readonly;
    this.chosen = new Chosen(boot.page);
    this.connection = new Connection(boot, this.api, {
      query: () => this.query.value,
      snapshotCame: () => this.snapshotCame(),
      problem: (message, at) => (this.problem.value = { message, at: placeOf(this.query.value, at) }),
      note: (note) => this.say(note.kind === "gap" ? "Some errors were missed; their row can load them" : `Caught up ${note.count}, missed ${note.missed}`),
      fail: (error) => this.fail(error),
      unseen: (count) => this.nameTab(count),
    });
  }

  /** Connect, and follow the address. */
  begin(): void {
    this.connection.begin();
    setInterval(() => this.second.value++, 1_000);
    addEventListener("popstate", () => this.addressChanged());
    if (this.selected.value) void this.loadWhole(this.selected.value);
  }

  // What the parts read, wherever it is kept.

  get feed() {
    return this.connection.feed;
  }
  get socket() {
    return this.connection.socket;
  }
  get painted() {
    return this.connection.painted;
  }
  get link() {
    return this.connection.link;
  }
  get settled() {
    return this.connection.settled;
  }
  get query() {
    return this.chosen.query;
  }
  get mode() {
    return this.chosen.mode;
  }
  get at() {
    return this.chosen.at;
  }
  get selected() {
    return this.chosen.selected;
  }
  get tab() {
    return this.chosen.tab;
  }
  get columns() {
    return this.chosen.columns;
  }

  // What is looked at

  setQuery(query: string): void {
    const text = query.trim();
    this.problem.value = null;
    if (text === this.query.value) return;
    this.query.value = text;
    this.resume();
    this.connection.ask(text);
    this.chosen.write();
  }

  setMode(mode: Mode): void {
    this.mode.value = mode;
    this.chosen.write(true);
  }

  setTab(tab: Tab): void {
    this.tab.value = tab;
    this.chosen.write(true);
  }

  toggleColumn(name: string): void {
    this.chosen.toggleColumn(name);
    this.connection.paintSoon();
  }

  toggleFields(): void {
    this.sheet.value = this.sheet.value === "fields" ? null : "fields";
  }

  /** Show so many minutes in the histogram. */
  async loadMinutes(count: number): Promise<void> {
    this.minutesShown = count;
    const since = String(Math.round(this.feed.serverNow()) - count * 60_000);
    await this.tried(async () => {
      const { minutes, complete } = await this.api.minutes({ query: this.query.value, since });
      this.feed.minutes.replace(minutes);
      this.areMinutesCut.value = !complete;
    });
  }

  private snapshotCame(): void {
    this.problem.value = null;
    // Counters are kept for the whole stack: those of a filter or a share are counted when asked for.
    const needsMinutes = this.minutesShown > SNAPSHOT_MINUTES || this.query.value !== "" || this.boot.share;
    this.areMinutesCut.value = false;
    if (needsMinutes) void this.loadMinutes(this.minutesShown);
    this.chosen.suggestColumns(this.feed.rows.items.flatMap((item) => (item.kind === "error" ? [item.row] : [])));
  }

  private addressChanged(): void {
    const view = this.chosen.read();
    if (view.error) this.open(view.error);
    else this.close();
    this.setQuery(view.query);
  }

  private nameTab(unseen: number): void {
    const name = plain(this.boot.share?.name || this.boot.stack.name);
    document.title = `${unseen > 0 ? `(${unseen}) ` : ""}${name} · ErrorStack Live`;
  }

  // Pausing

  /** Stop the list where it is; what comes is counted in the pill. */
  pause(by: Exclude<PausedBy, null>): void {
    this.pausedBy.value ??= by;
    this.feed.rows.pause();
  }

  resume(): void {
    this.pausedBy.value = null;
    this.feed.rows.resume();
    this.list?.toTop();
    this.connection.paintSoon();
  }

  togglePause(): void {
    if (this.isPaused.value) this.resume();
    else this.pause("hand");
  }

  scrolled(top: number): void {
    if (top > TOP_PX) this.pause("scroll");
    else if (this.pausedBy.value === "scroll" && top <= 0) this.resume();
  }

  // One error

  /** The opened error: whole as soon as it is loaded, before that what the list has. */
  get opened(): WholeError | Row | null {
    return this.known(this.selected.value);
  }

  /** The error that keys act on. */
  get current(): WholeError | Row | null {
    return this.known(this.at.value);
  }

  open(id: string): void {
    const wasOpen = this.selected.value !== null;
    batch(() => {
      this.at.value = id;
      this.selected.value = id;
      this.wholeProblem.value = "";
    });
    this.pause("row");
    this.chosen.write(wasOpen);
    void this.loadWhole(id);
    this.connection.paintSoon();
  }

  close(): void {
    if (this.at.value === null) return;
    batch(() => {
      this.at.value = null;
      this.selected.value = null;
      this.whole.value = null;
    });
    this.chosen.write(true);
    if (this.pausedBy.value === "row") {
      if ((this.list?.top ?? 0) > TOP_PX) this.pausedBy.value = "scroll";
      else this.resume();
    }
    this.connection.paintSoon();
  }

  /** Close what is on top: a sheet, the opened error, then the pause. */
  escape(): void {
    if (this.sheet.value) this.sheet.value = null;
    else if (this.at.value !== null) this.close();
    else if (this.isPaused.value) this.resume();
  }

  /** Go `by` rows down (older); when an error is open, the one that is reached opens. */
  move(by: number): void {
    if (this.mode.value === "grouped") return this.moveIssue(by);
    const { items } = this.feed.rows;
    let at = items.findIndex((item) => item.kind === "error" && holds(item, this.at.value));
    at = at < 0 ? items.length - 1 : at - by;
    while (items[at] && items[at]!.kind !== "error") at -= Math.sign(by) || 1;
    const next = items[at];
    if (next?.kind !== "error") return;
    if (this.selected.value !== null) this.open(next.row.id);
    else this.stay(next.row.id);
    this.list?.reveal(next);
  }

  /** Open the row the keyboard is at, or the newest. */
  enter(): void {
    if (this.at.value === null) this.move(1);
    if (this.at.value !== null) this.open(this.at.value);
  }

  unfold(): void {
    const item = this.at.value === null ? undefined : this.feed.rows.find(this.at.value);
    if (!item || times(item) < 2) return;
    if (item.folded.length === 0) this.say(`${plural(item.unsent, "repeat")} counted, not sent: filter by issue to list them`);
    this.feed.rows.unfold(item);
    this.connection.paintSoon();
  }

  private known(id: string | null): WholeError | Row | null {
    if (id === null) return null;
    if (this.whole.value?.id === id) return this.whole.value;
    const item = this.feed.rows.find(id);
    if (!item || item.row.id === id) return item?.row ?? null;
    return item.folded.find((row) => row.id === id) ?? null;
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
    this.connection.paintSoon();
  }

  private async loadWhole(id: string): Promise<void> {
    try {
      const whole = await this.api.error(id);
      if (this.selected.value === id) this.whole.value = whole;
    } catch (error) {
      if (this.selected.value === id) this.wholeProblem.value = words(error);
    }
  }

  // Issues

  /** Load issues of one state, or all, beside those the stream has told of. */
  async loadIssues(status: Status | "all"): Promise<void> {
    await this.tried(async () => {
      const { issues } = await this.api.issues({ status, limit: String(ISSUES_LOADED) });
      for (const issue of issues) this.feed.issues.set(issue.id, issue);
    });
  }

  /** Open the newest error of an issue. */
  async openIssue(issue: string): Promise<void> {
    const item = this.feed.rows.items.findLast((each) => each.kind === "error" && each.row.issue === issue);
    if (item?.kind === "error") return this.open(item.row.id);
    await this.tried(async () => {
      const { errors } = await this.api.errors({ issue, limit: "1" });
      if (errors[0]) this.open(errors[0].id);
      else this.say("Its errors are older than the stack keeps them");
    });
  }

  async setStatus(id: string, status: Status): Promise<void> {
    if (!this.canWrite) return;
    await this.tried(async () => {
      this.feed.issues.set(id, await this.api.setStatus(id, status));
      this.say(STATUS_WORDS[status]);
    });
  }

  async sendTest(): Promise<void> {
    await this.tried(async () => {
      await this.api.sendTest();
      this.say("A test error is on its way");
    });
  }

  // Words

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

  /** Do it, say what went wrong, draw what came of it. */
  private async tried(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.fail(error);
    }
    this.connection.paintSoon();
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
