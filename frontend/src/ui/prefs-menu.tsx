/** How the list looks, for this browser; and what is in it, to take along. */

import "../styles/pop.css";
import { exportUrl } from "../export";
import { spanOf } from "../range";
import type { Live } from "./live";
import { prefer, prefs, type Prefs } from "./prefs";

interface Choice {
  label: string;
  key?: string;
  isOn: (prefs: Prefs) => boolean;
  change: (isOn: boolean) => Partial<Prefs>;
}

const CHOICES: readonly Choice[] = [
  { label: "Compact rows", isOn: (is) => is.isCompact, change: (isCompact) => ({ isCompact }) },
  { label: "Wrap long messages", key: "w", isOn: (is) => is.wraps, change: (wraps) => ({ wraps }) },
  { label: "Times in UTC", isOn: (is) => is.zone === "utc", change: (isOn) => ({ zone: isOn ? "utc" : "local" }) },
  { label: "Tell how long ago", isOn: (is) => is.tellsAge, change: (tellsAge) => ({ tellsAge }) },
  { label: "Single-letter keys", isOn: (is) => is.hasLetterKeys, change: (hasLetterKeys) => ({ hasLetterKeys }) },
];

export function PrefsMenu({ live }: { live: Live }) {
  return (
    <div class="pop right">
      <Choices />
      <Downloads live={live} />
    </div>
  );
}

function Downloads({ live }: { live: Live }) {
  const { base } = live.boot;
  const wanted = { query: live.query.value, ...spanOf(live.range.value, live.brush.value, Date.now()) };
  return (
    <nav class="list downloads" aria-label="Download what matches">
      <a href={exportUrl(base, "csv", wanted, live.columns.value)} download>Download as CSV <small>these columns</small></a>
      <a href={exportUrl(base, "csv", wanted)} download>Download as CSV <small>all fields</small></a>
      <a href={exportUrl(base, "ndjson", wanted)} download>Download as JSON lines</a>
    </nav>
  );
}

export function Choices() {
  return (
    <div class="list" role="group" aria-label="How the list looks">
      {CHOICES.map(({ label, key, isOn, change }) => (
        <label key={label}>
          <input type="checkbox" checked={isOn(prefs.value)} onChange={(event) => prefer(change(event.currentTarget.checked))} />
          {label}
          {key && <kbd aria-hidden="true">{key}</kbd>}
        </label>
      ))}
    </div>
  );
}
