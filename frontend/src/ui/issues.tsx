/** Grouped: the issues behind the errors, how they go, and what members say of them. */

import { useEffect } from "preact/hooks";
import { matchedIssues } from "../matched";
import { badge, users, type Shown, type Sort } from "../issues";
import { ago, count, plural, short } from "../text";
import { exact } from "../time";
import type { Issue } from "../wire";
import { deskOf, MAX_LISTED } from "./desk";
import { Icon } from "./icons";
import { headline } from "./row";
import type { Live } from "./live";
import { include } from "./query-edit";
import { wordsOf } from "./query-text";
import { Spark } from "./spark";
import { Text } from "./value";
import { Verbs } from "./verbs";
import "../styles/issues.css";

const STATES: readonly [Shown, string][] = [
  ["open", "Open"],
  ["resolved", "Resolved"],
  ["ignored", "Ignored"],
  ["all", "All"],
];
const ORDERS: readonly [Sort, string][] = [
  ["last_seen", "Last seen"],
  ["count", "Count"],
];

export function Issues({ live }: { live: Live }) {
  live.painted.value;
  live.second.value;
  const desk = deskOf(live);
  const found = desk.arrange(desk.question === "" ? live.feed.issues.values() : matchedIssues(desk.matched, live.feed.rows.items, live.feed.issues));
  const shown = found.slice(0, MAX_LISTED);
  useEffect(() => void desk.load(), [desk]);
  useEffect(() => {
    desk.list(shown);
    void desk.loadTrends();
    void desk.loadMatched();
  });
  return (
    <section class="grouped" aria-label="Issues">
      <div class="filters">
        <span role="group" aria-label="Which issues">
          {STATES.map(([state, label]) => (
            <button class="btn" aria-pressed={desk.shown.value === state} onClick={() => desk.choose(state)}>
              {label}
            </button>
          ))}
        </span>
        <span class="grow" />
        <span role="group" aria-label="In which order">
          {ORDERS.map(([sort, label]) => (
            <button class="btn" aria-pressed={desk.sort.value === sort} onClick={() => desk.order(sort)}>
              {label}
            </button>
          ))}
        </span>
        <span class="dim" title={found.length > shown.length ? `The first ${MAX_LISTED} are listed` : ""}>
          {count(found.length)}
        </span>
        {desk.reachedAt !== null && <span class="dim">counted back to {exact(desk.reachedAt)}</span>}
      </div>
      <div class="issues" role="list" aria-label="Issues">
        {shown.map((issue) => (
          <IssueRow key={issue.id} live={live} issue={issue} />
        ))}
        {shown.length === 0 && (
          <div class="nothing">
            <b>No {desk.shown.value === "all" ? "" : desk.shown.value} issues</b>
            <span>What arrives is grouped here by itself.</span>
          </div>
        )}
      </div>
      {desk.selection.value.size > 0 && <Bulk live={live} shown={shown} />}
    </section>
  );
}

/** What may be done with the selection. */
function Bulk({ live, shown }: { live: Live; shown: readonly Issue[] }) {
  const desk = deskOf(live);
  const chosen = shown.filter(({ id }) => desk.selection.value.has(id));
  const states = new Set(chosen.map(({ status }) => status));
  return (
    <div class="bulk" role="group" aria-label="The selected issues">
      <b>{plural(chosen.length, "issue")} selected</b>
      <Verbs live={live} ids={chosen.map(({ id }) => id)} status={states.size === 1 ? [...states][0]! : null} />
      {chosen.length > 1 && (
        <button class="btn" onClick={() => void desk.merge()} title="The one with most errors takes the others in">
          Merge
        </button>
      )}
      <span class="grow" />
      <button class="btn q" onClick={() => desk.selectAll()}>
        All or none <kbd class="d-only">a</kbd>
      </button>
      <button class="btn q" aria-label="Let the selection go" onClick={() => desk.clear()}>
        <Icon name="close" />
      </button>
    </div>
  );
}

function IssueRow({ live, issue }: { live: Live; issue: Issue }) {
  const desk = deskOf(live);
  const { type, title } = headline(issue);
  const now = live.feed.serverNow();
  const words = wordsOf(live.query.value);
  const isOpen = live.reading.opened?.issue === issue.id;
  const isPicked = desk.selection.value.has(issue.id);
  const looks = [`issue l-${issue.level}`, issue.status, isOpen && "sel", isPicked && "picked", desk.at.value === issue.id && "at"];
  return (
    <div class={looks.filter(Boolean).join(" ")} id={`i${issue.id}`} role="listitem">
      <span class="bar" />
      {live.canWrite && (
        <button class="pick" aria-label="Select" aria-pressed={isPicked} onClick={(event) => desk.select(issue.id, event.shiftKey)}>
          {isPicked && <Icon name="check" />}
        </button>
      )}
      <button class="ti" onClick={() => void desk.open(issue.id)}>
        <span class="u" dir="auto">
          {type && (
            <b>
              <Text text={type} words={words} />{" "}
            </b>
          )}
          <Text text={title} words={words} />
        </span>
        <span class="sub">
          <Badge issue={issue} now={now} />
          {[issue.level, users(issue)].filter(Boolean).join(" · ")}
          {issue.where && " · "}
          <span class="u" dir="auto">
            <Text text={issue.where} />
          </span>
        </span>
      </button>
      <Spark counts={desk.trends.bars(issue.id, now)} span="the last hour" />
      <span class="num" title={plural(issue.count, "error")}>
        {short(issue.count)}
        <small>{issue.count === 1 ? "error" : "errors"}</small>
      </span>
      <span class="seen">
        <span title={exact(issue.last_seen_at)}>{ago(issue.last_seen_at, now)}</span>
        <small title={exact(issue.first_seen_at)}>first {ago(issue.first_seen_at, now)}</small>
      </span>
      <span class="does">
        {live.canWrite && <Verbs live={live} ids={[issue.id]} status={issue.status} isCompact />}
        <button class="btn" aria-label="Show its errors" onClick={() => show(live, issue.id)}>
          <Icon name="stream" />
        </button>
        {!live.boot.share && (
          <a class="btn" aria-label="Its own page" href={`${live.boot.page}/issues/${issue.id}`}>
            <Icon name="open" />
          </a>
        )}
      </span>
    </div>
  );
}

export function Badge({ issue, now }: { issue: Issue; now: number }) {
  const said = badge(issue, now);
  return said && <span class={`tag ${said.kind === "new" ? "" : said.kind}`}>{said.text}</span>;
}

function show(live: Live, id: string): void {
  live.setMode("stream");
  live.setQuery(include(live.query.value, "issue", id));
}
