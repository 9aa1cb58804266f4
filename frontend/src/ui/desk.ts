/**
 * The issues' verbs and state: which are listed, where the keyboard is among them, what is selected,
 * and what a member says of them, which can be taken back for a moment.
 */

import { batch, signal } from "@preact/signals";
import { IssueApi, type StatusChange } from "../issue-api";
import type { Matched } from "../matched";
import { spanOf } from "../range";
import { arranged, type Shown, type Sort } from "../issues";
import { all, extend, kept, NOTHING, toggle, type Selected } from "../selection";
import { plural } from "../text";
import { Trends } from "../trends";
import type { Issue, Status } from "../wire";
import type { Live } from "./live";

const LOADED = 300;
/** Rows drawn: issues are seldom more, and the rest is a filter away. */
export const MAX_LISTED = 100;
const TRENDS_S = 60;
/** Under a filter the server counts again so often; what comes in between is counted here. */
const MATCHED_S = 15;
const WORDS: Record<Status, string> = { resolved: "Resolved", ignored: "Ignored", open: "Reopened" };

/** The one desk of a live view. */
export function deskOf(live: Live): Desk {
  return (live.desk ??= new Desk(live));
}

export class Desk {
  readonly shown = signal<Shown>("open");
  readonly sort = signal<Sort>("last_seen");
  readonly selection = signal<Selected>(NOTHING);
  /** The issue that the keyboard is at. */
  readonly at = signal<string | null>(null);
  /** As they are listed. */
  listed: readonly Issue[] = [];

  private anchor: string | null = null;
  private undoing: (() => Promise<void>) | null = null;
  private trendsOf = "";
  private matchedOf = "";
  private answered: Matched | null = null;
  readonly trends = new Trends();
  readonly api: IssueApi;

  constructor(private readonly live: Live) {
    live.feed.trends = this.trends;
    this.api = new IssueApi(live.api);
  }

  /** All that are to be listed, in order; while some are selected nothing changes its place. */
  arrange(issues: Iterable<Issue>): Issue[] {
    const found = arranged(issues, this.shown.value, this.sort.value);
    if (this.selection.value.size === 0) return found;
    const places = new Map(this.listed.map(({ id }, place) => [id, place]));
    return found.sort((a, b) => (places.get(a.id) ?? Infinity) - (places.get(b.id) ?? Infinity) || 0);
  }

  /** Take what is listed now: where the keyboard was and what was selected stays, if it is still there. */
  list(issues: readonly Issue[]): void {
    this.listed = issues;
    this.selection.value = kept(this.selection.value, this.ids);
    if (this.at.value && !this.ids.includes(this.at.value)) this.at.value = null;
  }

  private get ids(): string[] {
    return this.listed.map(({ id }) => id);
  }

  /** Load the issues of the state and order that are shown, beside those the stream has told of. */
  async load(): Promise<void> {
    await this.live.tried(async () => {
      const { issues } = await this.live.api.issues({ status: this.shown.value, sort: this.sort.value, limit: String(LOADED) });
      for (const issue of issues) this.live.feed.issues.set(issue.id, issue);
    });
  }

  choose(shown: Shown): void {
    batch(() => {
      this.shown.value = shown;
      this.selection.value = NOTHING;
    });
    void this.load();
  }

  order(sort: Sort): void {
    this.sort.value = sort;
    void this.load();
  }

  /** Trends of what is listed: once for each list, and now and then anew. */
  async loadTrends(): Promise<void> {
    const ids = this.ids;
    const asked = `${ids.toSorted().join()} ${Math.floor(this.live.second.value / TRENDS_S)}`;
    if (ids.length === 0 || asked === this.trendsOf) return;
    this.trendsOf = asked;
    try {
      const { since, step_s, trends } = await this.api.trends(ids);
      this.trends.replace(since, step_s * 1_000, trends);
      this.live.connection.paintSoon();
    } catch {
      this.trendsOf = ""; // the list says all the same what it knows
    }
  }

  /** What the list is filtered by; empty where nothing is. */
  get question(): string {
    const { query, range, brush } = this.live;
    const isAll = query.value === "" && range.value.kind === "any" && !brush.value;
    return isAll ? "" : JSON.stringify([query.value, range.value, brush.value]);
  }

  /** The server's answer to what is asked now; an older one of another filter is none. */
  get matched(): Matched | null {
    return this.answered?.question === this.question ? this.answered : null;
  }

  get reachedAt(): number | null {
    return this.question === "" ? null : (this.matched?.reachedAt ?? null);
  }

  /** Ask anew when the filter changes, and now and then. */
  async loadMatched(): Promise<void> {
    const { question } = this;
    const asked = `${question} ${Math.floor(this.live.second.value / MATCHED_S)}`;
    if (question === "" || asked === this.matchedOf) return;
    this.matchedOf = asked;
    const { query, range, brush, feed } = this.live;
    const at = feed.serverNow();
    const { since, until } = spanOf(range.value, brush.value, at);
    const wanted: Record<string, string> = { query: query.value, limit: String(LOADED) };
    if (since !== null) wanted.since = String(Math.round(since));
    if (until !== null) wanted.until = String(Math.round(until));
    try {
      const { issues, reached_at: reachedAt } = await this.api.matching(wanted);
      this.answered = { question, at, issues, reachedAt };
      this.live.connection.paintSoon();
    } catch {
      this.matchedOf = ""; // the rows are counted all the same
    }
  }

  // The keyboard

  move(by: number, selects = false): void {
    const { live } = this;
    if (live.selected.value !== null) this.at.value = live.reading.opened?.issue ?? this.at.value;
    const from = this.at.value;
    const at = from === null ? -1 : this.ids.indexOf(from);
    const next = this.listed[at < 0 ? 0 : Math.max(0, Math.min(this.listed.length - 1, at + by))];
    if (!next) return;
    this.at.value = next.id;
    if (selects) this.selection.value = extend(this.selection.value, this.ids, from ?? next.id, next.id);
    if (live.selected.value !== null) void this.open(next.id);
    document.getElementById(`i${next.id}`)?.scrollIntoView({ block: "nearest" });
  }

  enter(): void {
    if (this.at.value === null) this.move(1);
    if (this.at.value !== null) void this.open(this.at.value);
  }

  select(id: string | null = this.at.value, isRange = false): void {
    if (id === null) return;
    const { selection, anchor } = this;
    selection.value = isRange && anchor ? extend(selection.value, this.ids, anchor, id) : toggle(selection.value, id);
    this.anchor = this.at.value = id;
  }

  selectAll(): void {
    this.selection.value = all(this.selection.value, this.ids);
  }

  /** Let the selection go; whether there was one. */
  clear(): boolean {
    const had = this.selection.value.size > 0;
    this.selection.value = NOTHING;
    return had;
  }

  /** Open the newest error of an issue. */
  async open(issue: string): Promise<void> {
    const { live } = this;
    const item = live.feed.rows.items.findLast((each) => each.kind === "error" && each.row.issue === issue);
    if (item?.kind === "error") return live.reading.open(item.row.id);
    await live.tried(async () => {
      const { errors } = await live.api.errors({ issue, limit: "1" });
      if (errors[0]) live.reading.open(errors[0].id);
      else live.say("Its errors are older than the stack keeps them");
    });
  }

  // What is said

  /** What keys act on: the selection, else the issue or error where the keyboard is. */
  get targets(): string[] {
    if (this.live.mode.value === "grouped") {
      if (this.selection.value.size > 0) return [...this.selection.value];
      if (this.live.selected.value === null && this.at.value) return [this.at.value];
    }
    const issue = this.live.reading.current?.issue;
    return issue ? [issue] : [];
  }

  /** Say it of the targets; of those of which it is said already, take it back. */
  toggle(status: Status): void {
    const { targets } = this;
    const isSaid = targets.length > 0 && targets.every((id) => (this.live.feed.issues.get(id)?.status ?? "open") === status);
    void this.say({ ids: targets, status: isSaid ? "open" : status });
  }

  async say(change: StatusChange, words = ""): Promise<void> {
    const { live } = this;
    const { ids, status } = change;
    if (!live.canWrite || ids.length === 0) return;
    await live.tried(async () => {
      const { issues, done_at } = await this.api.setStatus(change);
      this.take(issues);
      this.selection.value = NOTHING;
      this.offer(`${WORDS[status]}${words}${ids.length > 1 ? `: ${plural(issues.length, "issue")}` : ""}`, async () => {
        this.take((await this.api.undo(ids, done_at)).issues);
      });
    });
  }

  /** Make one issue of those that are selected: the one with most errors takes the others in. */
  async merge(): Promise<void> {
    const { live } = this;
    const chosen = this.listed.filter(({ id }) => this.selection.value.has(id)).toSorted((a, b) => b.count - a.count);
    const [into, ...others] = chosen;
    if (!live.canWrite || !into || others.length === 0) return;
    await live.tried(async () => {
      this.take((await this.api.merge(others.map(({ id }) => id), into.id)).issues);
      this.selection.value = NOTHING;
      this.at.value = into.id;
      this.offer(`${plural(chosen.length, "issue")} are one now; their errors follow`, async () => {
        for (const { id } of others) this.take((await this.api.unmerge(id)).issues);
      });
    });
  }

  /** Take back what was said last, as long as that is offered. */
  async undo(): Promise<void> {
    const { undoing } = this;
    this.undoing = null;
    if (!undoing) return;
    await this.live.tried(async () => {
      await undoing();
      this.live.say("Taken back");
    });
  }

  private offer(text: string, undoing: () => Promise<void>): void {
    this.undoing = undoing;
    this.live.say(text, false, { label: "Undo", run: () => void this.undo() });
  }

  private take(issues: readonly Issue[]): void {
    for (const issue of issues) this.live.feed.issues.set(issue.id, issue);
  }

  // Markers

  async mark(text: string): Promise<void> {
    const { live } = this;
    await live.tried(async () => {
      const marker = await this.api.mark(text);
      this.offer(`Marked: ${marker.text}`, async () => void (await this.api.unmark(marker.id)));
    });
  }
}
