/** Grouped: the issues behind the errors, newest first, with what members say of them. */

import { signal } from "@preact/signals";
import { times } from "../item";
import { ago, count, short } from "../text";
import type { Issue, Status } from "../wire";
import { Icon } from "./icons";
import { headline } from "./list";
import type { Live } from "./live";
import { include, wordsOf } from "./query-text";
import { Text } from "./value";
import { Verbs } from "./verbs";

type Filter = Status | "all";
const FILTERS: readonly [Filter, string][] = [
  ["open", "Open"],
  ["resolved", "Resolved"],
  ["ignored", "Ignored"],
  ["all", "All"],
];
const filter = signal<Filter>("open");
const MAX_ISSUES = 300;

export function Issues({ live }: { live: Live }) {
  live.painted.value;
  live.second.value;
  const issues = listed(live);
  const shown = issues.filter((issue) => filter.value === "all" || issue.status === filter.value);
  live.listed = shown.slice(0, MAX_ISSUES);
  return (
    <section class="grouped" aria-label="Issues">
      <div class="filters" role="group" aria-label="Which issues">
        {FILTERS.map(([status, label]) => (
          <button class="btn" aria-pressed={filter.value === status} onClick={() => choose(live, status)}>
            {label}
          </button>
        ))}
        <span class="grow" />
        <span class="dim">{count(shown.length)}</span>
      </div>
      <div class="issues">
        {live.listed.map((issue) => (
          <IssueRow key={issue.id} live={live} issue={issue} />
        ))}
        {shown.length === 0 && (
          <div class="nothing">
            <b>No {filter.value === "all" ? "" : filter.value} issues</b>
            <span>What arrives is grouped here by itself.</span>
          </div>
        )}
      </div>
    </section>
  );
}

function choose(live: Live, next: Filter): void {
  filter.value = next;
  void live.loadIssues(next);
}

/** The stack's issues; under a filter those of the errors in the list, counted there. */
function listed(live: Live): Issue[] {
  const all = [...live.feed.issues.values()];
  const issues = live.query.value === "" ? all : counted(live);
  return issues.sort((a, b) => b.last_seen_at - a.last_seen_at);
}

function counted(live: Live): Issue[] {
  const found = new Map<string, Issue>();
  for (const item of live.feed.rows.items) {
    if (item.kind !== "error") continue;
    const { row } = item;
    const known = found.get(row.issue);
    const first = item.folded[0] ?? row;
    const status = live.feed.issues.get(row.issue);
    found.set(row.issue, {
      id: row.issue,
      title: row.title,
      type: row.type,
      level: row.level,
      where: row.where,
      first_seen_at: known?.first_seen_at ?? first.at,
      last_seen_at: row.at,
      count: (known?.count ?? 0) + times(item),
      status: status?.status ?? "open",
      regressed_at: status?.regressed_at ?? null,
    });
  }
  return [...found.values()];
}

function IssueRow({ live, issue }: { live: Live; issue: Issue }) {
  const { type, title } = headline(issue);
  const now = live.feed.serverNow();
  const words = wordsOf(live.query.value);
  const isSelected = live.reading.opened?.issue === issue.id;
  return (
    <div class={`issue l-${issue.level} ${issue.status} ${isSelected ? "sel" : ""}`}>
      <span class="bar" />
      <button class="ti" onClick={() => void live.openIssue(issue.id)}>
        <span class="u" dir="auto">
          {type && (
            <b>
              <Text text={type} words={words} />{" "}
            </b>
          )}
          <Text text={title} words={words} />
        </span>
        <span class="sub">
          <Said issue={issue} />
          {issue.level}
          {issue.where && " · "}
          <span class="u" dir="auto">
            <Text text={issue.where} />
          </span>
        </span>
      </button>
      <span class="num" title={count(issue.count)}>
        {short(issue.count)}
        <small class="when">{ago(issue.last_seen_at, now)}</small>
      </span>
      <span class="does">
        {live.canWrite && <Verbs live={live} id={issue.id} status={issue.status} isCompact />}
        <button class="btn" aria-label="Show its errors" onClick={() => show(live, issue.id)}>
          <Icon name="stream" />
        </button>
      </span>
    </div>
  );
}

/** What became of it, in a word. */
function Said({ issue }: { issue: Issue }) {
  if (issue.status !== "open") return <span class="tag dim">{issue.status}</span>;
  return issue.regressed_at === null ? null : <span class="tag warn">regressed</span>;
}

function show(live: Live, id: string): void {
  live.setMode("stream");
  live.setQuery(include(live.query.value, "issue", id));
}
