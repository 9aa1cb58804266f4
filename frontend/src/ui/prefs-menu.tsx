/** How the list looks, for this browser. */

import "../styles/pop.css";
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

export function PrefsMenu() {
  return (
    <div class="pop right">
      <Choices />
    </div>
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
