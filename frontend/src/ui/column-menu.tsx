/** A column from any field: found by its name, put in or taken out by a click. */

import "../styles/pop.css";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { count, plain } from "../text";
import { MAX_COLUMNS } from "./chosen";
import { Icon } from "./icons";
import { knownTo } from "./counting";
import type { Live } from "./live";
import { Text } from "./value";

const MAX_SHOWN = 40;

export function ColumnMenu({ live, close }: { live: Live; close: () => void }) {
  const wanted = useSignal("");
  const box = useRef<HTMLInputElement>(null);
  const known = useRef(knownTo(live));
  useEffect(() => {
    box.current?.focus();
    live.fields.load();
  }, [live]);
  const columns = live.columns.value;
  const needle = wanted.value.toLowerCase();
  const names = [...new Set([...columns, ...known.current.map(({ name }) => name)])].filter((name) => !["level", "type"].includes(name));
  const found = names.filter((name) => name.toLowerCase().includes(needle)).slice(0, MAX_SHOWN);
  const rows = new Map(known.current.map((field) => [field.name, field.rows]));
  const first = found[0] ?? wanted.value.trim();
  return (
    <div class="pop right">
      <div class="fs">
        <Icon name="search" />
        <input
          ref={box}
          placeholder="Find a field"
          aria-label="Find a field for a column"
          value={wanted.value}
          onInput={(event) => (wanted.value = event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && first && (live.toggleColumn(first), close())}
        />
      </div>
      <div class="list">
        {found.map((name) => (
          <button key={name} aria-pressed={columns.includes(name)} onClick={() => live.toggleColumn(name)} title={plain(name)}>
            <span class="nm u" dir="auto">
              <Text text={name} />
            </span>
            {columns.includes(name) ? <Icon name="check" /> : <small>{rows.get(name) ? count(rows.get(name)!) : ""}</small>}
          </button>
        ))}
        {found.length === 0 && wanted.value && <p>No field of this name was seen. Enter makes a column of it all the same.</p>}
      </div>
      {columns.length >= MAX_COLUMNS && <p>{MAX_COLUMNS} columns fit; another one takes the first one's place.</p>}
    </div>
  );
}
