/** Facets: the values of fields, counted; a click includes, a second takes it back. */

import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Facet } from "../facets";
import { count, plain, plural } from "../text";
import { LEVELS, type Level } from "../wire";
import { countsOf, type Counts } from "./counting";
import type { Base } from "./fields";
import { Icon } from "./icons";
import type { Live } from "./live";
import { exclude, include, own, sense } from "./query-edit";
import { Text } from "./value";

const COUNT_EVERY_MS = 1_000;
const OPEN_AT_FIRST = 5;
const SHOWN_AT_FIRST = 10;
const VALUES_AT_FIRST = 5;

/** The field or value that hand or focus is at: only there stand its buttons. */
const hot = signal("");
const narrow = matchMedia("(max-width: 1180px)");
const hasNoHover = matchMedia("(hover: none)");

export function Facets({ live }: { live: Live }) {
  const wanted = useSignal("");
  const showsAll = useSignal(false);
  const toggled = useSignal<ReadonlySet<string>>(new Set());
  const more = useSignal<ReadonlySet<string>>(new Set());
  const isSheet = live.sheet.value === "fields";
  useEffect(() => {
    const look = () => live.fields.show(isSheet || !narrow.matches);
    look();
    narrow.addEventListener("change", look);
    return () => narrow.removeEventListener("change", look);
  }, [live, isSheet]);
  const counts = useCounts(live);
  const needle = wanted.value.toLowerCase();
  const found = counts.facets.filter((facet) => facet.name.toLowerCase().includes(needle));
  const shown = needle || showsAll.value ? found : found.slice(0, SHOWN_AT_FIRST);
  return (
    <div onPointerLeave={() => (hot.value = "")}>
      <div class="fs">
        <Icon name="search" />
        <input
          id="find-field"
          placeholder="Find a field"
          aria-label="Find a field"
          value={wanted.value}
          onInput={(event) => (wanted.value = event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && ((wanted.value = ""), event.currentTarget.blur())}
        />
        {isSheet && (
          <button class="btn q" aria-label="Close the fields" onClick={() => (live.sheet.value = null)}>
            <Icon name="close" />
          </button>
        )}
      </div>
      <p class="over">{overWhat(counts)}</p>
      {shown.map((facet, index) => {
        const isOpen = (index < OPEN_AT_FIRST || needle !== "") !== toggled.value.has(facet.name);
        return (
          <Group
            key={facet.name}
            live={live}
            facet={facet}
            isOpen={isOpen}
            limit={more.value.has(facet.name) ? Infinity : VALUES_AT_FIRST}
            toggle={() => (toggled.value = flipped(toggled.value, facet.name))}
            grow={() => (more.value = flipped(more.value, facet.name))}
          />
        );
      })}
      {shown.length < found.length && (
        <button class="fh fmore" onClick={() => (showsAll.value = true)}>
          {plural(found.length - shown.length, "more field")}
        </button>
      )}
    </div>
  );
}

function flipped(set: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(name)) next.add(name);
  return next;
}

/** Over what the counts go, said honestly. */
function overWhat({ rows, isAll }: Counts): string {
  if (rows === 0) return "";
  return isAll ? `Counted over all ${plural(rows, "error")}` : `Counted over the newest ${count(rows)}`;
}

/** Counted at most once a second, and when the server's counts are here: not while a filter is waited for. */
function useCounts(live: Live): Counts {
  const counted = useRef({ key: -1, painted: -1, base: null as Base | null, counts: { facets: [], rows: 0, isAll: false } as Counts });
  const tick = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => tick.value++, COUNT_EVERY_MS);
    return () => clearInterval(timer);
  }, [tick]);
  const base = live.fields.base.value;
  const isFirst = counted.current.counts.rows === 0;
  const key = isFirst ? live.painted.value : tick.value;
  return useMemo(() => {
    const painted = live.painted.peek();
    const isDue = isFirst || (counted.current.painted !== painted && counted.current.key !== key);
    const isCounted = base !== null && counted.current.base !== base;
    if (isDue || isCounted) counted.current = { key, painted, base, counts: countsOf(live) };
    return counted.current.counts;
  }, [key, base]);
}

interface GroupProps {
  live: Live;
  facet: Facet;
  isOpen: boolean;
  limit: number;
  toggle: () => void;
  grow: () => void;
}

function Group({ live, facet, isOpen, limit, toggle, grow }: GroupProps) {
  const { name } = facet;
  const values = (name === "level" ? byLevel(facet.values) : facet.values).slice(0, limit);
  const most = Math.max(...facet.values.map((value) => value.count));
  const isHot = hot.value === name || (hasNoHover.matches && isOpen);
  const warm = () => (hot.value = name);
  const isColumn = live.columns.value.includes(name);
  return (
    <div class="fg" role="group" aria-label={plain(name)}>
      <div class="fhead" onPointerEnter={warm} onFocusIn={warm}>
        <button class="fh" aria-expanded={isOpen} onClick={toggle}>
          <span class="nm u" dir="auto">
            <Text text={name} />
          </span>
          <small>{count(facet.distinct)}</small>
        </button>
        {isHot && name !== "level" && (
          <span class="pm">
            <button aria-label={plain(`Column ${name}`)} title="Column" aria-pressed={isColumn} onClick={() => live.toggleColumn(name)}>
              <Icon name="columns" />
            </button>
          </span>
        )}
      </div>
      {isOpen && values.map((value) => <Value key={value.value} live={live} name={name} value={value.value} count={value.count} share={value.count / most} />)}
      {isOpen && facet.values.length > VALUES_AT_FIRST && name !== "level" && (
        <button class="fh fmore" onClick={grow}>
          {limit === Infinity ? "Fewer" : facet.distinct > facet.values.length ? `The ${facet.values.length} most frequent` : `All ${count(facet.distinct)}`}
        </button>
      )}
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
  const asked = name === "level" || name === "type" ? name : own(name);
  const how = sense(query, asked, value);
  const key = `${name}\n${value}`;
  const warm = () => (hot.value = key);
  const isHot = hot.value === key || hasNoHover.matches;
  return (
    <div class={`fv ${how === "in" ? "inc" : how === "out" ? "off" : ""}`} style={{ "--w": `${Math.max(2, share * 100)}%` }} onPointerEnter={warm} onFocusIn={warm}>
      <button aria-pressed={how === "in"} onClick={() => live.setQuery(include(query, asked, value))} title={plain(value)}>
        {name === "level" && <span class={`sq l-${value}`} />}
        <span class="nm u" dir="auto">
          <Text text={value} />
        </span>
        <span class="c">{count(errors)}</span>
      </button>
      {isHot && (
        <span class="pm">
          <button aria-label={plain(`Only ${name} ${value}`)} title="Only this" onClick={() => live.setQuery(include(query, asked, value))}>
            =
          </button>
          <button aria-label={plain(`Without ${name} ${value}`)} title="Without this" onClick={() => live.setQuery(exclude(query, asked, value))}>
            ≠
          </button>
        </span>
      )}
    </div>
  );
}
