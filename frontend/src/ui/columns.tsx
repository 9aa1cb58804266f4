/** The header of the list. Columns are dragged to another place, or moved by arrow keys, and dropped. */

import { useSignal } from "@preact/signals";
import { plain, valueAt, valueText } from "../text";
import type { Row } from "../wire";
import { Icon } from "./icons";
import type { Live } from "./live";
import { ColumnMenu } from "./parts";
import { Pill } from "./pill";
import { Popover } from "./popover";
import { Text } from "./value";

export function Header({ live }: { live: Live }) {
  const dragged = useSignal<string | null>(null);
  const columns = live.columns.value;
  return (
    <div class="hdrow" role="row" aria-rowindex={1}>
      <span />
      <span role="columnheader">Time</span>
      <span role="columnheader">Level</span>
      <span role="columnheader">
        Message
        <Pill live={live} />
      </span>
      {columns.map((name) => (
        <Column key={name} live={live} name={name} dragged={dragged} />
      ))}
      <span class="tools" role="columnheader" aria-label="Columns">
        <Popover className="btn q" label="Add a column" button={<Icon name="plus" />}>
          {(close) => <ColumnMenu live={live} close={close} />}
        </Popover>
      </span>
    </div>
  );
}

function Column({ live, name, dragged }: { live: Live; name: string; dragged: { value: string | null } }) {
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) live.setColumns(moved(live.columns.value, name, live.columns.value.indexOf(name) + by));
    else if (event.key === "Delete" || event.key === "Backspace") live.toggleColumn(name);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const over = (event: DragEvent) => {
    if (dragged.value === null) return;
    event.preventDefault();
    if (dragged.value !== name) live.setColumns(moved(live.columns.value, dragged.value, live.columns.value.indexOf(name)));
  };
  return (
    <span
      role="columnheader"
      class={dragged.value === name ? "col dragged" : "col"}
      draggable
      onDragStart={(event) => {
        event.dataTransfer?.setData("text/plain", name);
        dragged.value = name;
      }}
      onDragOver={over}
      onDragEnd={() => (dragged.value = null)}
    >
      <button class="cut u" dir="auto" title={`${plain(name)}: drag, or arrow keys, to move; delete to remove`} onKeyDown={key}>
        <Text text={name} />
      </button>
      <button class="drop-col" tabIndex={-1} aria-label={plain(`Remove the column ${name}`)} onClick={() => live.toggleColumn(name)}>
        <Icon name="close" />
      </button>
    </span>
  );
}

const CHAR_PX = 7.6;
const NAME_CHAR_PX = 6.4;
const LONGEST_NAME = 14;
const NARROWEST_PX = 56;
const WIDEST_PX = 150;
/** So many of the newest rows say how wide a column is; the longest tenth of them is cut. */
const MEASURED_ROWS = 60;

/** Widths of the columns a person chose, for the header and every row alike. */
export function widths(columns: readonly string[], rows: readonly Row[]): string {
  return columns
    .map((name) => {
      const lengths = rows.slice(-MEASURED_ROWS).map(({ fields }) => valueText(valueAt(fields, name) ?? "").length);
      const usual = lengths.sort((a, b) => a - b)[Math.floor(lengths.length * 0.9)] ?? 0;
      const [holds, isCalled] = [usual * CHAR_PX + 4, Math.min(name.length, LONGEST_NAME) * NAME_CHAR_PX + 18];
      const px = Math.ceil(Math.max(NARROWEST_PX, Math.min(WIDEST_PX, Math.max(holds, isCalled))));
      return `minmax(52px, ${px}px)`;
    })
    .join(" ");
}

/** The columns with one of them at another place. */
export function moved(columns: readonly string[], name: string, to: number): readonly string[] {
  const others = columns.filter((each) => each !== name);
  const place = Math.max(0, Math.min(others.length, to));
  return others.toSpliced(place, 0, name);
}
