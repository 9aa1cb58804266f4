/** Others like this error: those of its issue, and issues that may be the same thing. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ago, count, valueText } from "../text";
import { clock, day, fraction } from "../time";
import type { Fields, Issue, Row } from "../wire";
import { headline } from "./row";
import { deskOf } from "./desk";
import type { Live } from "./live";
import { include } from "./query-edit";
import { glimpse, Text } from "./value";

const SHOWN = 12;
const NOT_TOLD: ReadonlySet<string> = new Set(["stack", "UserAgent"]);

export function SimilarTab({ live, row }: { live: Live; row: Row }) {
  const errors = useSignal<Row[] | null>(null);
  const issues = useSignal<Issue[] | null>(null);
  useEffect(() => {
    let isWanted = true;
    const taken = <T,>(into: { value: T | null }) => (got: T) => void (isWanted && (into.value = got));
    live.api.errors({ issue: row.issue, limit: String(SHOWN + 1) }).then(({ errors: found }) => taken(errors)(found.filter(({ id }) => id !== row.id).slice(0, SHOWN)), (error) => live.fail(error));
    live.api.similar(row.issue).then(({ issues: found }) => taken(issues)(found), () => taken(issues)([]));
    return () => {
      isWanted = false;
    };
  }, [live, row.issue, row.id]);
  const known = live.feed.issues.get(row.issue);
  return (
    <>
      <div class="h2">
        Of the same issue, and what is other in them
        {known && known.count > 1 && <button onClick={() => live.setQuery(include(live.query.value, "issue", row.issue))}>List all {count(known.count)}</button>}
      </div>
      {errors.value === null ? <p class="none">Loading…</p> : errors.value.length === 0 && <p class="none">This is the only one kept.</p>}
      {errors.value?.map((each) => <OtherError key={each.id} live={live} row={each} than={row} />)}
      {issues.value && issues.value.length > 0 && <div class="h2">Similar issues</div>}
      {issues.value?.map((issue) => <OtherIssue key={issue.id} live={live} issue={issue} />)}
    </>
  );
}

/** What is other in it: fields with another value than the error in hand has, the shortest first. */
function differing(row: Row, than: Row): Fields {
  const others = Object.entries(row.fields).filter(([name, value]) => valueText(value) !== valueText(than.fields[name] ?? ""));
  return Object.fromEntries(others.sort((a, b) => valueText(a[1]).length - valueText(b[1]).length));
}

function OtherError({ live, row, than }: { live: Live; row: Row; than: Row }) {
  const date = day(row.at, Date.now());
  return (
    <button class="oth" onClick={() => live.reading.open(row.id)}>
      <time>
        {date ? `${date} ${clock(row.at).slice(0, 5)}` : clock(row.at)}
        {!date && <s>{fraction(row.at)}</s>}
      </time>
      <span class="u" dir="auto">
        <Text text={glimpse(differing(row, than), NOT_TOLD) || "the same in every field"} />
      </span>
    </button>
  );
}

function OtherIssue({ live, issue }: { live: Live; issue: Issue }) {
  const { type, title } = headline(issue);
  return (
    <button class="oth iss" onClick={() => void deskOf(live).open(issue.id)}>
      <span class={`u l-${issue.level}`} dir="auto">
        {type && (
          <b>
            <Text text={type} />{" "}
          </b>
        )}
        <Text text={title} />
      </span>
      <small>
        ×{count(issue.count)} · {ago(issue.last_seen_at, live.feed.serverNow())}
      </small>
    </button>
  );
}
