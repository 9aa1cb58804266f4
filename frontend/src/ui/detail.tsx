/** The detail panel: one error, whole, with the verbs of its issue. */

import "../styles/detail.css";
import { useSignal } from "@preact/signals";
import type { WholeError } from "../api";
import { rawTrace } from "../trace";
import { clock, count, day, flatten, fraction, plain, plural, newWords } from "../text";
import { stringify, type Row } from "../wire";
import { TABS, type Tab } from "../view";
import { asCurl, asJson, asMarkdown } from "./copy";
import { Facts } from "./facts";
import { FieldTable } from "./field-table";
import { Grip } from "./grip";
import { Icon } from "./icons";
import { headline } from "./row";
import type { Live } from "./live";
import { LogLine } from "./logs";
import { PinButton } from "./pin-button";
import { include } from "./query-edit";
import { wordsOf } from "./query-text";
import { SimilarTab } from "./similar";
import { TraceView } from "./trace-view";
import { Text, Tree } from "./value";
import { Verbs } from "./verbs";

const TAB_WORDS: Record<Tab, string> = { trace: "Stack trace", fields: "Fields", json: "JSON", similar: "Similar", before: "Before this" };

export function Detail({ live }: { live: Live }) {
  live.painted.value;
  live.reading.whole.value;
  if (live.selected.value === null) return null;
  const row = live.reading.opened;
  return (
    <>
      <Grip />
      {row ? <Opened live={live} row={row} /> : <Missing live={live} />}
    </>
  );
}

function Missing({ live }: { live: Live }) {
  return (
    <div class="dh">
      <div class="dt">
        <span>{live.reading.problem.value || "Loading…"}</span>
        <span class="grow" />
        <Close live={live} />
      </div>
    </div>
  );
}

function Close({ live }: { live: Live }) {
  return (
    <button class="btn q" aria-label="Close" onClick={() => live.reading.close()}>
      <Icon name="close" />
    </button>
  );
}

function Opened({ live, row }: { live: Live; row: WholeError | Row }) {
  const tab = live.tab.value;
  return (
    <>
      <div>
        <Head live={live} row={row} />
        <Facts live={live} row={row} />
      </div>
      <Tabs live={live} row={row} />
      <div class="db" role="tabpanel" id="panel" aria-label={TAB_WORDS[tab]} tabIndex={-1} key={row.id + tab}>
        {tab === "trace" && <TraceTab live={live} row={row} />}
        {tab === "fields" && <FieldsTab live={live} row={row} />}
        {tab === "json" && <JsonTab live={live} row={row} />}
        {tab === "similar" && <SimilarTab live={live} row={row} />}
        {tab === "before" && <BeforeTab live={live} row={row} />}
      </div>
    </>
  );
}

function Head({ live, row }: { live: Live; row: Row }) {
  const { type, title } = headline(row);
  const issue = live.feed.issues.get(row.issue);
  const date = day(row.at, Date.now());
  const words = wordsOf(live.query.value);
  return (
    <div class="dh">
      <div class="dt">
        <span class={`badge l-${row.level}`}>
          <span class="sq" />
          {row.level}
        </span>
        {row.where && (
          <span class="u" dir="auto" title={plain(row.where)}>
            <Text text={row.where} />
          </span>
        )}
        <span>·</span>
        <time dateTime={new Date(row.at).toISOString()}>
          {date && `${date} `}
          {clock(row.at)}
          {fraction(row.at)}
        </time>
        <span class="grow" />
        <kbd class="d-only">k</kbd>
        <kbd class="d-only">j</kbd>
        {live.canWrite && <PinButton live={live} id={row.id} />}
        <button class="btn q" aria-label="Tell me when …" title="Tell me when …" onClick={() => (live.dialog.value = "traps")}>
          <Icon name="bell" />
        </button>
        <a class="btn q" aria-label="Open on its own page" href={`${live.boot.page}/e/${row.id}`}>
          <Icon name="open" />
        </a>
        <Close live={live} />
      </div>
      <h1 class="u" dir="auto">
        <Text text={type || title} words={words} />
      </h1>
      {type && title && (
        <p class="u" dir="auto">
          <Text text={title} words={words} />
        </p>
      )}
      <div class="acts">
        {live.canWrite && <Verbs live={live} ids={[row.issue]} status={issue?.status ?? "open"} />}
        <CopyMenu live={live} row={row} />
        <button class="btn" onClick={() => void live.copy(location.href, "Link")}>
          <Icon name="link" />
          Link
        </button>
      </div>
      <New live={live} words={row.new ?? []} />
      <Marks row={row} />
    </div>
  );
}

/** What it was the first in its stack to have; a click shows all that were. */
function New({ live, words }: { live: Live; words: readonly string[] }) {
  if (words.length === 0) return null;
  const said = newWords(words);
  return (
    <div class="acts">
      {words.map((word, index) => (
        <button class="tag u" dir="auto" key={word} title="Show errors with something new" onClick={() => live.setQuery(include(live.query.value, "_new", word.startsWith("value:") ? word : word.split(":")[0] + (word === "issue" ? "" : ":*")))}>
          new: <Text text={said[index]!} />
        </button>
      ))}
    </div>
  );
}

/** What was cut or scrubbed is said, never hidden. */
function Marks({ row }: { row: Row }) {
  const marks = [
    row.cut?.body_bytes && `Body cut, ${plural(row.cut.body_bytes, "byte")} in all`,
    row.cut?.fields && `${plural(row.cut.fields, "field")} dropped`,
    row.cut?.names && `${plural(row.cut.names, "name")} shortened`,
    row.scrubbed?.length && `Secrets removed from ${row.scrubbed.join(", ")}`,
  ].filter((mark): mark is string => Boolean(mark));
  if (marks.length === 0) return null;
  return (
    <div class="acts">
      {marks.map((mark) => (
        <span class="tag warn u" dir="auto">
          <Text text={mark} />
        </span>
      ))}
    </div>
  );
}

function CopyMenu({ live, row }: { live: Live; row: Row }) {
  const isOpen = useSignal(false);
  const pick = (text: string, what: string) => () => {
    isOpen.value = false;
    void live.copy(text, what);
  };
  return (
    <div class="menu" onFocusOut={(event) => leaving(event) && (isOpen.value = false)}>
      <button class="btn" aria-haspopup="menu" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
        <Icon name="copy" />
        Copy
        <Icon name="down" />
      </button>
      {isOpen.value && (
        <div role="menu" onKeyDown={(event) => event.key === "Escape" && (isOpen.value = false)}>
          <button role="menuitem" onClick={pick(asJson(row), "JSON")}>
            JSON <kbd class="d-only">c</kbd>
          </button>
          <button role="menuitem" onClick={pick(asCurl(row.fields, live.boot.submit_url, live.boot.key ?? "KEY"), "cURL")}>
            cURL
          </button>
          <button role="menuitem" onClick={pick(asMarkdown(row, location.href), "Markdown")}>
            Markdown
          </button>
        </div>
      )}
    </div>
  );
}

function leaving(event: FocusEvent): boolean {
  return !(event.currentTarget as Element).contains(event.relatedTarget as Node | null);
}

function Tabs({ live, row }: { live: Live; row: Row }) {
  const sizes: Partial<Record<Tab, number>> = {
    fields: flatten(row.fields).length,
    similar: Math.max(0, (live.feed.issues.get(row.issue)?.count ?? 0) - 1),
    before: row.before?.length ?? 0,
  };
  const chosen = live.tab.value;
  const step = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    live.setTab(TABS[(TABS.indexOf(chosen) + by + TABS.length) % TABS.length]!);
  };
  return (
    <div class="dtabs" role="tablist" aria-label="What is shown of the error" onKeyDown={step}>
      {TABS.map((tab) => (
        <button role="tab" aria-selected={tab === chosen} aria-controls="panel" tabIndex={tab === chosen ? 0 : -1} onClick={() => live.setTab(tab)}>
          {TAB_WORDS[tab]}
          {sizes[tab] !== undefined && sizes[tab] > 0 && <span class="n">{count(sizes[tab])}</span>}
        </button>
      ))}
    </div>
  );
}

interface TabProps {
  live: Live;
  row: WholeError | Row;
}

function TraceTab({ live, row }: TabProps) {
  const trace = "trace" in row ? row.trace : undefined;
  return (
    <>
      {trace && <TraceView frames={trace.frames} raw={rawTrace(row.fields, trace.field)} />}
      {trace === null && <p class="none">The sender gave no stack trace.</p>}
      <div class="h2">
        Fields<span>Click a value to filter</span>
      </div>
      <FieldTable live={live} entries={flatten(row.fields).filter(([name]) => name !== trace?.field)} />
    </>
  );
}

function FieldsTab({ live, row }: TabProps) {
  const request = "request" in row && row.request ? Object.entries(row.request).filter(([, value]) => value !== "") : [];
  const reserved = "reserved" in row && row.reserved ? flatten(row.reserved) : [];
  return (
    <>
      <FieldTable live={live} entries={flatten(row.fields)} />
      {row.more && <p class="none">Loading the rest…</p>}
      {request.length > 0 && <div class="h2">Request</div>}
      {request.length > 0 && <FieldTable live={null} entries={request} />}
      {reserved.length > 0 && <div class="h2">Reserved names</div>}
      {reserved.length > 0 && <FieldTable live={null} entries={reserved} />}
    </>
  );
}

function JsonTab({ live, row }: TabProps) {
  return (
    <>
      <div class="h2">
        As sent
        <button onClick={() => void live.copy(stringify(row.fields, 2), "Fields")}>Copy</button>
      </div>
      <div class="tree">
        <Tree value={row.fields} />
      </div>
    </>
  );
}

function BeforeTab({ live, row }: TabProps) {
  const before = row.before ?? [];
  if (before.length === 0) {
    const isLoading = live.reading.whole.value?.id !== row.id && !live.reading.problem.value;
    return <p class="none">{isLoading ? "Loading…" : "No log message was alive when this error arrived."}</p>;
  }
  return (
    <>
      <div class="h2">
        Log messages kept with this error<span>newest first</span>
      </div>
      {before.toReversed().map((message) => (
        <LogLine key={message.id} message={message} />
      ))}
    </>
  );
}
