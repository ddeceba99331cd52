// One figure: its newest value, and a line over the last minutes.

import { h } from "../parts/dom";
import { Sparkline } from "../parts/sparkline";

type Values = (number | null)[];

export interface Look {
  format: (value: number) => string;
  /** The least top of the scale: below it, noise would look like news. */
  ceiling: number;
  /** A second and third line, drawn fainter. */
  also?: string[];
  alarm?: (value: number) => boolean;
}

export class Tile {
  readonly element: HTMLElement;
  private readonly value = h("span", { class: "value" });
  private readonly note = h("span", { class: "about" });
  private readonly line: Sparkline;

  constructor(
    readonly title: string,
    private readonly look: Look,
  ) {
    this.line = new Sparkline(title, look.format);
    this.element = h("div", { class: "tile" }, h("span", { class: "name" }, title), this.value, this.line.element, this.note);
  }

  show(values: Values, note = "", others: Values[] = []): void {
    const newest = values.at(-1) ?? null;
    this.value.textContent = newest === null ? "–" : this.look.format(newest);
    this.element.classList.toggle("alarm", newest !== null && (this.look.alarm?.(newest) ?? false));
    this.note.textContent = note;
    this.line.show(values, this.look.ceiling, others);
  }
}
