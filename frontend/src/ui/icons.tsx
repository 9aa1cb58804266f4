/** The icons, as the strokes of a 16 by 16 box. */

const PATHS = {
  check: "m3.5 8.5 3 3 6-7",
  clock: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 5v3.2l2 1.3",
  close: "m4.5 4.5 7 7M11.5 4.5l-7 7",
  columns: "M3 3.5h10v9H3zM8 3.5v9",
  copy: "M7 5.5h4.5A1.5 1.5 0 0 1 13 7v4.5a1.5 1.5 0 0 1-1.5 1.5H7a1.5 1.5 0 0 1-1.5-1.5V7A1.5 1.5 0 0 1 7 5.5zM3 10.2V4.5A1.5 1.5 0 0 1 4.5 3h5.7",
  down: "m4.5 6.5 3.5 3.5 3.5-3.5",
  eye: "M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8zM8 6.3a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4z",
  fields: "M2.5 4h11M4.5 8h7M6.5 12h3",
  gear: "M8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM8 2.5v1.7M8 11.8v1.7M2.5 8h1.7M11.8 8h1.7M4.1 4.1l1.2 1.2M10.7 10.7l1.2 1.2M11.9 4.1l-1.2 1.2M5.3 10.7l-1.2 1.2",
  ignore: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.2 4.2l7.6 7.6",
  issues: "M4 3h8a1 1 0 0 1 1 1v2a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM4 9.5h8M5 12h6",
  link: "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 0 0-3.7-3.7l-.6.6M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.6-.6",
  open: "M6.5 3.5h-3v9h9v-3M9 3.5h3.5V7M12.3 3.7 7.5 8.5",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6l7.5-4.8z",
  plus: "M8 3.5v9M3.5 8h9",
  reopen: "M3.5 8a4.5 4.5 0 1 0 1.4-3.3M3.2 2.8v2.5h2.5",
  right: "m6.5 4.5 3.5 3.5-3.5 3.5",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.5 10.5l3 3",
  sliders: "M3 5h5.5M12 5h1M3 11h1M7.5 11H13M8.5 5a1.7 1.7 0 1 0 3.4 0 1.7 1.7 0 0 0-3.4 0zM4 11a1.7 1.7 0 1 0 3.4 0A1.7 1.7 0 0 0 4 11z",
  stream: "M3 4.5h10M3 8h10M3 11.5h6",
  up: "M8 12.5v-9M4.5 7 8 3.5 11.5 7",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="i" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
