/** Facets: the values of the newest errors, counted; a click includes, a second takes it back. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { facetsOf, FACET_ROWS, type Facet } from "../facets";
import { count, plain } from "../text";
import { LEVELS, type Level, type Row } from "../wire";
import { Icon } from "./icons";
import type { Live } from "./live";
import { exclude, include, sense } from "./query-text";
import { Text } from "./value";

const COUNT_EVERY_MS = 1_000;
const OPEN_AT_FIRST = 5;
const MAX_SHOWN = 30;

export function Facets({ live }: { live: Live }) {
  const wanted = useSignal("");
  const toggled = useSignal<ReadonlySet<string>>(new Set());
  const facets = useFacets(live);
  const needle = wanted.value.toLowerCase();
  const found = facets.filter((facet) => facet.name.toLowerCase().includes(needle));
  const toggle = (name: string) => {
    const next = new Set(toggled.value);
    if (!next.delete(name)) next.add(name);
    toggled.value = next;
  };
  return (
    <aside class={`fac ${live.sheet.value === "fields" ? "sheet" : ""}`} aria-label={`Fields of the newest ${count(FACET_ROWS)} errors`}>
      <label class="fs">
        <Icon name="search" />
        <input
          placeholder="Find a field"
          aria-label="Find a field"
          value={wanted.value}
          onInput={(event) => (wanted.value = event.currentTarget.value)}
        />
      </label>
      {found.slice(0, MAX_SHOWN).map((facet, index) => {
        const isOpen = (index < OPEN_AT_FIRST || needle !== "") !== toggled.value.has(facet.name);
        return <Group key={facet.name} live={live} facet={facet} isOpen={isOpen} toggle={() => toggle(facet.name)} />;
      })}
    </aside>
  );
}

/** Counted at most once a second, and only when something was painted since. */
function useFacets(live: Live): Facet[] {
  const counted = useRef({ at: 0, painted: -1, query: "", facets: [] as Facet[] });
  const tick = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => tick.value++, COUNT_EVERY_MS);
    return () => clearInterval(timer);
  }, [tick]);
  const isFirst = !live.painted.value || counted.current.facets.length === 0;
  const key = isFirst ? live.painted.value : tick.value;
  return useMemo(() => {
    const painted = live.painted.peek();
    if (counted.current.painted !== painted) {
      counted.current = { at: Date.now(), painted, query: live.query.value, facets: facetsOf(newestRows(live)) };
    }
    return counted.current.facets;
  }, [key, live.query.value]);
}

function* newestRows(live: Live): Generator<Row> {
  const { items } = live.feed.rows;
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at]!;
    if (item.kind !== "error") continue;
    yield item.row;
    yield* item.folded;
  }
}

function Group({ live, facet, isOpen, toggle }: { live: Live; facet: Facet; isOpen: boolean; toggle: () => void }) {
  const values = facet.name === "level" ? byLevel(facet.values) : facet.values;
  const most = Math.max(...facet.values.map((value) => value.count));
  return (
    <div class="fg">
      <button class="fh" aria-expanded={isOpen} onClick={toggle}>
        <Icon name="down" />
        <span class="nm u" dir="auto">
          <Text text={facet.name} />
        </span>
        <small>{count(facet.distinct)}</small>
      </button>
      {isOpen &&
        values.map((value) => (
          <Value key={value.value} live={live} name={facet.name} value={value.value} count={value.count} share={value.count / most} />
        ))}
    </div>
  );
}

function byLevel(values: Facet["values"]): Facet["values"] {
  return values.toSorted((a, b) => LEVELS.indexOf(a.value as Level) - LEVELS.indexOf(b.value as Level));
}

interface ValueProps {
  live: Live;
  name: string;
  value: string;
  count: number;
  share: number;
}

function Value({ live, name, value, count: errors, share }: ValueProps) {
  const query = live.query.value;
  const how = sense(query, name, value);
  return (
    <div class={`fv ${how === "in" ? "inc" : how === "out" ? "off" : ""}`} style={{ "--w": `${Math.max(2, share * 100)}%` }}>
      <button onClick={() => live.setQuery(include(query, name, value))} title={plain(value)}>
        {name === "level" && <span class={`sq l-${value}`} />}
        <span class="nm u" dir="auto">
          <Text text={value} />
        </span>
        <span class="c">{count(errors)}</span>
      </button>
      <span class="pm">
        <button aria-label={plain(`Only ${name} ${value}`)} onClick={() => live.setQuery(include(query, name, value))}>
          =
        </button>
        <button aria-label={plain(`Without ${name} ${value}`)} onClick={() => live.setQuery(exclude(query, name, value))}>
          ≠
        </button>
      </span>
    </div>
  );
}
