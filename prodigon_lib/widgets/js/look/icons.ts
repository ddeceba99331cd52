// Our own icons: lines of one weight in a box of 16, in the colour of the text around them.

import { svg } from "../parts/dom";

const PATHS = {
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5l3.5 3.5L13 4.5",
  send: "M8 13V3M3.5 7.5L8 3l4.5 4.5",
  stop: "M4.5 4.5h7v7h-7z",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  pencil: "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  sliders: "M3 5h5M11 5h2M3 11h2M8 11h5M8 3.2v3.6M5 9.2v3.6",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3L14 14",
  list: "M3 4h10M3 8h10M3 12h10",
  down: "M8 3v10M3.5 8.5L8 13l4.5-4.5",
  download: "M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13.5h10",
  warn: "M8 2.5L14 13H2zM8 6.5v3M8 11.2v.3",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  filter: "M2.5 3.5h11L9.3 8.4v4.1l-2.6-1.3V8.4z",
  code: "M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",
  chevron: "M6 3.5L10.5 8 6 12.5",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGElement {
  const box = { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true", class: "icon" };
  return svg("svg", box, svg("path", { d: PATHS[name] }));
}
