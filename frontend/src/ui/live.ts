/**
 * The live view's verbs and state: what its parts read as signals and call when someone clicks or
 * types. Nothing here draws.
 */

import { computed, signal, type Signal } from "@preact/signals";
import { Api } from "../api";
import { copyText } from "../clipboard";
import type { Item } from "../item";
import { plain } from "../text";
import { spanOf, type Range, type Stretch } from "../range";
import type { Mode, Tab } from "../view";
import type { Boot } from "./boot";
import { Badge } from "./badge";
import { Chart } from "./chart";
import { Chosen } from "./chosen";
import { Connection } from "./connection";
import type { Desk } from "./desk";
import { Fields } from "./fields";
import { TOP_PX } from "./list";
import { placeOf } from "./query-text";
import { Reading } from "./reading";
import { Trapping } from "./trapping";

export interface Said {
  text: string;
  bad: boolean;
  /** What may be done about it, for as long as it is said. */
  act?: { label: string; run(): void } | undefined;
}

export type PausedBy = "scroll" | "row" | "hand" | null;
export type Dialog = "share" | "help" | "mark" | "traps" | null;

const NOTE_MS = 4_000;
/** What can be taken back is offered longer. */
const UNDO_MS = 10_000;

export class Live {
  readonly api: Api;
  readonly chosen: Chosen;
  readonly connection: Connection;
  readonly reading: Reading;
  readonly chart: Chart;
  readonly fields: Fields;
  /** The issues' verbs: their code comes when they are first needed, see `atDesk`. */
  desk: Desk | null = null;

  /** Counts up every second: ages, lamps and rates read it. */
  readonly second = signal(0);
  readonly badge: Badge;
  readonly trapping: Trapping;
  /** The view fills the screen, for a room to read. */
  readonly isWall: Signal<boolean>;
  readonly problem = signal<{ message: string; at: number } | null>(null);
  readonly pausedBy = signal<PausedBy>(null);
  readonly said = signal<Said | null>(null);
  readonly dialog = signal<Dialog>(null);
  readonly sheet = signal<"fields" | null>(null);
  readonly canWrite: boolean;

  readonly isPaused = computed(() => this.pausedBy.value !== null);
  /** Nothing has ever arrived, as far as this view can know. */
  readonly isEmpty = computed(() => {
    this.painted.value;
    const { feed } = this;
    return feed.ready && !feed.isPast && this.query.value === "" && this.range.value.kind === "any" && feed.rows.kept === 0 && feed.issues.size === 0;
  });

  /** Set by the list when it is on the page. */
  list: { toTop(): void; reveal(item: Item): void; expand(item: Item): void; focus(): void; top: number } | null = null;
  focusQuery: () => void = () => {};

  private noteTimer = 0;

  constructor(readonly boot: Boot) {
    this.api = new Api(boot.base);
    this.canWrite = !boot.readonly;
    this.chosen = new Chosen(boot.page);
    this.badge = new Badge(plain(boot.share?.name || boot.stack.name));
    this.trapping = new Trapping(this);
    this.isWall = signal(boot.wall);
    this.reading = new Reading(this);
    this.chart = new Chart(this);
    this.fields = new Fields(this);
    this.connection = new Connection(boot, this.api, {
      query: () => this.query.value,
      span: (now) => spanOf(this.range.value, this.brush.value, now),
      snapshotCame: () => this.snapshotCame(),
      problem: (message, at) => (this.problem.value = { message, at: placeOf(this.query.value, at) }),
      note: (note) => this.say(note.kind === "gap" ? "Some errors were missed; their row can load them" : `Caught up ${note.count}, missed ${note.missed}`),
      fail: (error) => this.fail(error),
      unseen: (count) => this.badge.count(count),
      heard: (message) => this.trapping.heard(message),
    });
  }

  /** Connect, and follow the address. */
  begin(): void {
    this.chart.change(false);
    this.connection.begin();
    this.trapping.begin();
    setInterval(() => this.tick(), 1_000);
    addEventListener("popstate", () => this.addressChanged());
    if (this.selected.value) void this.reading.load(this.selected.value);
  }

  private tick(): void {
    const { range, brush } = this;
    if (range.value.kind === "last" && !brush.value) this.feed.passTime(range.value.ms);
    this.chart.tick(++this.second.value);
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
  get range() {
    return this.chosen.range;
  }
  get brush() {
    return this.chosen.brush;
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
    this.look();
    if (text) void this.narrow(text);
  }

  /** The rows that are here already are filtered at once; the server's answer takes their place. */
  private async narrow(text: string): Promise<void> {
    const { parse } = await import("../query/passing");
    if (text !== this.query.value || this.settled.value || this.feed.isPast) return;
    this.feed.rows.keepOnly(parse(text).matches);
    this.connection.paintNow();
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

  setColumns(columns: readonly string[]): void {
    this.chosen.setColumns(columns);
    this.connection.paintSoon();
  }

  /** Go to the fields beside the list; where there is no room for them they come as a sheet. */
  toggleFields(): void {
    const find = document.getElementById("find-field");
    if (find?.offsetParent && this.sheet.value === null) return find.focus();
    this.sheet.value = this.sheet.value === "fields" ? null : "fields";
  }

  setRange(range: Range): void {
    this.brush.value = null;
    this.range.value = range;
    this.look();
  }

  /** List only what is marked in the chart; null: the whole range again. */
  setBrush(brush: Stretch | null): void {
    if (JSON.stringify(brush) === JSON.stringify(this.brush.value)) return;
    const isMoved = brush !== null && this.brush.value !== null;
    this.brush.value = brush;
    this.look({ isChartSame: true, isMoved });
  }

  /** Ask for what was chosen, and name it in the address. */
  private look({ isChartSame = false, isMoved = false } = {}): void {
    this.problem.value = null;
    this.resume();
    this.chart.change(isChartSame);
    this.connection.ask();
    this.fields.change();
    this.chosen.write(isMoved);
  }

  private snapshotCame(): void {
    this.problem.value = null;
    this.chart.snapshotCame();
    this.chosen.suggestColumns(this.feed.rows.items.flatMap((item) => (item.kind === "error" ? [item.row] : [])));
  }

  private addressChanged(): void {
    const before = this.chosen.asked;
    this.chosen.follow((view) => {
      this.chosen.take(view);
      if (this.chosen.asked !== before) this.look();
      if (view.error) this.reading.open(view.error);
      else this.reading.close();
    });
  }


  // Pausing

  /** Stop the list where it is; what comes is counted in the pill. */
  pause(by: Exclude<PausedBy, null>): void {
    if (this.feed.isPast) return; // history stands still by itself
    this.pausedBy.value ??= by;
    this.feed.rows.pause();
  }

  resume(): void {
    this.pausedBy.value = null;
    this.feed.rows.resume();
    this.list?.toTop();
    this.connection.paintNow();
  }

  togglePause(): void {
    if (this.feed.isPast) this.chart.toNow();
    else if (this.isPaused.value) this.resume();
    else this.pause("hand");
  }

  scrolled(top: number): void {
    if (top > TOP_PX) this.pause("scroll");
    else if (this.pausedBy.value === "scroll" && top <= 0) this.resume();
  }

  /** The row that was read is left: the pause it caused ends, or goes on as one by scrolling. */
  rowLeft(): void {
    if (this.pausedBy.value !== "row") return;
    if ((this.list?.top ?? 0) > TOP_PX) this.pausedBy.value = "scroll";
    else this.resume();
  }

  /** Close what is on top: a sheet, the opened error, then the pause. */
  escape(): void {
    if (this.sheet.value) this.sheet.value = null;
    else if (this.desk?.clear()) return;
    else if (this.at.value !== null) this.reading.close();
    else if (this.isPaused.value) this.resume();
    else if (this.brush.value) this.chart.clear();
  }

  /** Go `by` rows down (older), or issues where these are listed. */
  move(by: number): void {
    if (this.mode.value === "grouped") this.atDesk((desk) => desk.move(by));
    else this.reading.move(by);
  }

  /** Do something with issues. */
  atDesk(act: (desk: Desk) => void): void {
    void this.tried(async () => act((await import("./desk")).deskOf(this)));
  }

  // Sending

  async pin(id: string, note: string): Promise<void> {
    await this.tried(async () => {
      await this.api.ask(`/pins/${id}`, "PUT", { note });
      this.say("Pinned for everybody");
    });
  }

  async unpin(id: string): Promise<void> {
    await this.tried(async () => {
      await this.api.ask(`/pins/${id}`, "DELETE");
      this.say("Unpinned");
    });
  }

  /** To the wallboard and back; with a hand on the page it takes the whole screen. */
  toggleWall(): void {
    this.isWall.value = !this.isWall.value;
    document.body.classList.toggle("wall", this.isWall.value);
    const { search } = location;
    history.replaceState(null, "", this.boot.page + (this.isWall.value ? "/wall" : "") + search);
    if (this.isWall.value) void document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) void document.exitFullscreen();
  }

  async sendTest(): Promise<void> {
    await this.tried(async () => {
      await this.api.sendTest();
      this.say("A test error is on its way");
    });
  }

  // Words

  say(text: string, bad = false, act?: Said["act"]): void {
    this.said.value = { text, bad, act };
    clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => (this.said.value = null), act ? UNDO_MS : NOTE_MS);
  }

  fail(error: unknown): void {
    this.say(words(error), true);
  }

  async copy(text: string, what: string): Promise<void> {
    if (await copyText(text)) this.say(`${what} copied`);
    else this.say("The browser does not let this page copy", true);
  }

  /** Do it, say what went wrong, draw what came of it. */
  async tried(act: () => Promise<void>): Promise<void> {
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
