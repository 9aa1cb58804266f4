/** Which fields a link hides: chosen from those that were seen, or typed. */

import { useSignal, type Signal } from "@preact/signals";
import { flatten, plain } from "../text";
import type { Live } from "./live";
import { Text } from "./value";

export type Choice = ReadonlySet<string>;
/** Names that are offered, the most frequent first. */
const MAX_OFFERED = 40;
const LOOKED_AT = 400;

/** Names of fields, dotted, that the newest errors have, most frequent first; whole branches too. */
export function seenNames(live: Live): string[] {
  const counts = new Map<string, number>();
  const add = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const item of live.feed.rows.items.slice(-LOOKED_AT)) {
    if (item.kind !== "error") continue;
    const { fields } = item.row;
    const names = flatten(fields, 60).map(([name]) => name);
    const branches = Object.entries(fields).flatMap(([name, value]) => (value !== null && typeof value === "object" && !Array.isArray(value) ? [name] : []));
    new Set([...names, ...branches]).forEach(add);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([name]) => name);
}

export function Hidden({ live, chosen }: { live: Live; chosen: Signal<Choice> }) {
  const typed = useSignal("");
  const seen = useSignal(seenNames(live));
  const set = (name: string, isHidden: boolean) => {
    const next = new Set(chosen.value);
    if (isHidden) next.add(name);
    else next.delete(name);
    chosen.value = next;
  };
  const take = () => {
    for (const name of typed.value.split(",").map((each) => each.trim()).filter(Boolean)) set(name, true);
    typed.value = "";
  };
  const wanted = typed.value.trim().toLowerCase();
  const offered = seen.value.filter((name) => !chosen.value.has(name) && name.toLowerCase().includes(wanted)).slice(0, MAX_OFFERED);
  return (
    <div class="field">
      <label for="share-hidden">Hide fields</label>
      <input
        id="share-hidden"
        autocomplete="off"
        placeholder="Find a field, or type its name"
        value={typed.value}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== ",") return;
          event.preventDefault();
          take();
        }}
      />
      <div class="chips" role="group" aria-label="Fields, hidden when pressed">
        {[...chosen.value].map((name) => (
          <Chip name={name} isOn act={() => set(name, false)} />
        ))}
        {offered.map((name) => (
          <Chip name={name} isOn={false} act={() => (set(name, true), (typed.value = ""))} />
        ))}
      </div>
      <small>They are cut out before anything is sent, with all that lies below them.</small>
    </div>
  );
}

function Chip({ name, isOn, act }: { name: string; isOn: boolean; act: () => void }) {
  return (
    <button type="button" class="chip u" dir="auto" aria-pressed={isOn} title={plain(name)} onMouseDown={(event) => event.preventDefault()} onClick={act}>
      <Text text={name} />
    </button>
  );
}
