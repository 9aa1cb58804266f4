/** An issue's own page: keeps alive what the server drew, by the same socket as the live view. */

import { render, type ComponentChild } from "preact";
import { Api } from "./api";
import { Bins } from "./counters";
import { Feed } from "./feed";
import type { Fix } from "./fix";
import { IssueApi, type Part } from "./issue-api";
import { Socket, type SocketState } from "./socket";
import { after, open } from "./ui/connection";
import { Breakdown, FactList, Lamp, Newest, State, Trend } from "./ui/issue-parts";
import { VerdictSaid } from "./ui/verdict-said";
import { include } from "./ui/query-edit";
import type { Issue, ServerMessage } from "./wire";

interface Boot {
  base: string;
  page: string;
  issue: string;
  readonly: boolean;
  reach: { label: string; span_ms: number; step_ms: number };
}

const ROWS = 30;
/** What errors have in common is counted anew so often while they come; before and after, always. */
const RECOUNT_MS = 15_000;

class IssuePage {
  private readonly feed = new Feed(() => Date.now());
  private readonly bins = new Bins();
  private readonly api: Api;
  private readonly asked: IssueApi;
  private readonly socket: Socket;
  private issue: Issue | null = null;
  private fix: { said: Fix; count: number } | null = null;
  private parts: { found: readonly Part[]; looked: number } | null = null;
  private isLive = false;
  private isStale = true;

  constructor(private readonly boot: Boot) {
    this.api = new Api(boot.base);
    this.asked = new IssueApi(this.api);
    this.feed.takesMinutes = false;
    this.feed.restart();
    this.socket = new Socket(
      {
        start: () => {
          const { cursor, epoch } = this.feed;
          const start = { type: "start", query: `issue:${boot.issue}`, epoch, limit: ROWS } as const;
          return cursor ? { ...start, since: cursor } : start;
        },
        message: (message, bytes) => this.heard(message, bytes),
        state: (state) => this.linked(state),
      },
      { open: (way) => open(boot.base, way), now: () => Date.now(), random: () => Math.random(), after },
    );
  }

  begin(): void {
    this.socket.open();
    addEventListener("online", () => this.socket.nudge());
    document.addEventListener("visibilitychange", () => document.hidden || this.socket.nudge());
    void this.recount();
    setInterval(() => this.draw(), 1_000);
    setInterval(() => void this.recount(), RECOUNT_MS);
  }

  private linked({ phase }: SocketState): void {
    this.isLive = phase === "live";
    this.draw();
  }

  private heard(message: ServerMessage, bytes: number): void {
    const marker = this.feed.markers.newest?.id;
    this.feed.apply(message, bytes);
    if (message.type === "frame" && message.epoch === this.feed.epoch) {
      this.bins.add(this.feed.serverNow(), message.counts.levels);
      this.isStale ||= message.counts.total > 0;
    }
    this.issue = this.feed.issues.get(this.boot.issue) ?? this.issue;
    if (this.issue?.into) location.replace(`${this.boot.page}/issues/${this.issue.into}`);
    if (this.feed.markers.newest?.id !== marker) void this.loadFix();
    if (message.type !== "pong") requestAnimationFrame(() => this.draw());
  }

  /** What only the server can count; when nothing came, it would say the same. */
  private async recount(): Promise<void> {
    if (document.hidden) return;
    const { issue, reach } = this.boot;
    await Promise.allSettled([
      this.api.issue(issue).then((found) => (this.issue = found)),
      this.loadFix(),
      this.isStale && this.asked.breakdown(issue).then(({ fields, errors }) => (this.parts = { found: fields, looked: errors })),
      this.isStale &&
        this.api
          .minutes({ issue, since: String(Math.round(this.feed.serverNow()) - reach.span_ms), step_s: String(reach.step_ms / 1_000) })
          .then(({ minutes }) => this.bins.replace(minutes, reach.step_ms)),
    ]);
    this.isStale = false;
    this.draw();
  }

  private async loadFix(): Promise<void> {
    const said = await this.asked.fix(this.boot.issue);
    this.fix = { said, count: this.issue?.count ?? 0 };
    this.draw();
  }

  private draw(): void {
    const { feed, issue, boot } = this;
    const now = feed.serverNow();
    slot("lamp", <Lamp isLive={this.isLive} />)?.classList.toggle("on", this.isLive);
    if (!feed.ready || !issue) return;
    slot("state", <State issue={issue} now={now} />);
    const verbs = document.getElementById("verbs");
    if (verbs) verbs.dataset.status = issue.status;
    slot("facts", <FactList issue={issue} now={now} />);
    if (this.fix) slot("verdict", <VerdictSaid fix={this.fix.said} more={Math.max(0, issue.count - this.fix.count)} lastSeenAt={issue.last_seen_at} now={now} />);
    const { span_ms, step_ms, label } = boot.reach;
    const stretch = { from: now - span_ms + step_ms, to: now };
    if (this.bins.stepMs === step_ms) slot("trend", <Trend bars={this.bins.bars(stretch)} markers={feed.markers.between(stretch.from, now)} label={`Errors in the last ${label}`} />);
    const rows = feed.rows.items.flatMap((item) => (item.kind === "error" ? [item.row, ...item.folded.toReversed()] : [])).reverse();
    if (rows.length > 0) slot("newest", <Newest rows={rows.slice(0, ROWS)} page={boot.page} />);
    if (this.parts) slot("breakdown", <Breakdown parts={this.parts.found} looked={this.parts.looked} link={(name, value) => `${boot.page}?q=${encodeURIComponent(include(`issue:${boot.issue}`, name, value))}`} />);
  }
}

const taken = new WeakSet<Element>();

/** Draw into one of the page's parts; what the server drew there goes. */
function slot(name: string, child: ComponentChild): Element | null {
  const element = document.querySelector(`[data-live="${name}"]`);
  if (!element) return null;
  if (!taken.has(element)) element.replaceChildren();
  taken.add(element);
  render(child, element);
  return element;
}

/** x and i do what they do in the live view: by the page's own forms. */
function keyed(event: KeyboardEvent): void {
  const word = { x: "resolved", i: "ignored" }[event.key];
  const target = event.target as Element;
  if (!word || event.ctrlKey || event.metaKey || event.altKey || event.repeat || target.closest("input, textarea, select")) return;
  const verbs = document.getElementById("verbs");
  const said = verbs?.dataset.status === word ? "open" : word;
  verbs?.querySelector<HTMLFormElement>(`[data-do="${said}"]`)?.requestSubmit();
}

addEventListener("keydown", keyed);
const boot = document.getElementById("issue-boot")?.textContent;
if (boot) new IssuePage(JSON.parse(boot) as Boot).begin();
