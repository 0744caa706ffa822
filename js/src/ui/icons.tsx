import type { JSX } from "preact";

/** Line icons on a 16-pixel grid, drawn in the text's colour. */
const PATHS = {
  undo: "M5.5 3 2.5 6l3 3M2.8 6H9a4 4 0 0 1 0 8H6",
  redo: "M10.5 3l3 3-3 3M13.2 6H7a4 4 0 0 0 0 8h3",
  help: "M6 6.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M8 11.8v.1M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8",
  expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.2 2.8 9.3 6.7M2.8 13.2l3.9-3.9",
  close: "m4 4 8 8M12 4l-8 8",
  swap: "M3 5.5h9.5L10 3M13 10.5H3.5L6 13",
  chevron: "m4.5 6.5 3.5 3.5 3.5-3.5",
  left: "M10 3 5 8l5 5",
  right: "m6 3 5 5-5 5",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.2 3.2",
  eye: "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6",
  grid: "M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.2 4.5l.6 9h6.4l.6-9",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  check: "m3 8.5 3.2 3.2L13 5",
  photo: "M2 3.5h12v9H2zM2.5 11.5 6 7.5l2.5 3L10 9l3 2.5M11 6v.1",
  insight: "M2.5 13.5v-4M6.2 13.5v-7M9.9 13.5v-5M13.5 13.5v-11",
  rank: "M2.5 3.5h11M2.5 8h7.5M2.5 12.5h4",
  target: "M8 3.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M8 1v4M8 11v4M1 8h4M11 8h4",
  warning: "M8 2.2 14.4 13.4H1.6zM8 6.5v3.2M8 11.6v.1",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Two halves of a cocoa bean in the colours of corpus and foil. */
export function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
      <path
        class="logo-corpus"
        d="M13.2 2.6c5.2.3 8.8 4.5 8.8 9.4s-3.6 9.1-8.8 9.4c-2.6-2.7.9-6 .9-9.4s-3.5-6.7-.9-9.4z"
      />
      <path class="logo-foil" d="M10.6 21.4C5.5 21 2 16.9 2 12s3.5-9 8.6-9.4c-2.4 3.2.9 6.2.9 9.4s-3.3 6.2-.9 9.4z" />
    </svg>
  );
}
