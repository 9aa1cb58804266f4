/** What the keys do. */

import { KEYS } from "./keys";
import type { Live } from "./live";
import { Modal } from "./modal";
import { Choices } from "./prefs-menu";

export function Help({ live }: { live: Live }) {
  return (
    <Modal live={live} title="Shortcuts">
      <div class="dbody">
        <div class="keys">
          {KEYS.filter((key) => live.canWrite || !key.writes).map((key) => (
            <div key={key.does}>
              {key.does}
              <span>
                {key.shown.map((shown) => (
                  <kbd key={shown}>{shown}</kbd>
                ))}
              </span>
            </div>
          ))}
        </div>
        <Choices />
      </div>
    </Modal>
  );
}
