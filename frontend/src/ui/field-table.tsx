/** Fields as a table; a value filters by a click, a name becomes a column. */

import { plain } from "../text";
import type { Json } from "../wire";
import { Icon } from "./icons";
import type { Live } from "./live";
import { exclude, include, own } from "./query-edit";
import { wordsOf } from "./query-text";
import { Text, Value } from "./value";

/** Without `live` the fields are no one's to filter by: the request's, reserved names. */
export function FieldTable({ live, entries }: { live: Live | null; entries: [string, Json][] }) {
  if (entries.length === 0) return <p class="none">No fields.</p>;
  return (
    <dl class="kv">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt class="u" dir="auto" title={plain(name)}>
            <Text text={name === "" ? "(no name)" : name} />
          </dt>
          <dd>
            <Value value={value} words={wordsOf(live?.query.value ?? "")} />
          </dd>
          {live && <FieldVerbs live={live} name={name} value={value} />}
        </div>
      ))}
    </dl>
  );
}

const MAX_FILTER_CHARS = 200;

function FieldVerbs({ live, name, value }: { live: Live; name: string; value: Json }) {
  const text = value === null || typeof value !== "object" ? String(value) : "";
  const canFilter = name !== "" && text !== "" && text.length <= MAX_FILTER_CHARS && !/[\r\n]/.test(text);
  const query = live.query.value;
  const isColumn = live.columns.value.includes(name);
  return (
    <dd class="pm">
      {canFilter && (
        <button aria-label={plain(`Only this ${name}`)} title="Only this" onClick={() => live.setQuery(include(query, own(name), text))}>
          =
        </button>
      )}
      {canFilter && (
        <button aria-label={plain(`Without this ${name}`)} title="Without this" onClick={() => live.setQuery(exclude(query, own(name), text))}>
          ≠
        </button>
      )}
      <button aria-label={plain(`Column ${name}`)} aria-pressed={isColumn} title="Column" onClick={() => live.toggleColumn(name)}>
        <Icon name="columns" />
      </button>
    </dd>
  );
}
