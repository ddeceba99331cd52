// The spans of a trace, each where and as long as it was; each opens to its attributes and its log lines.

import { h, replace, uniqueId } from "../parts/dom";
import { seconds } from "../parts/numbers";
import type { SpanRow, Trace } from "./wire";

const COLOURS = ["blue", "green", "pink", "orange"];

/** Below it a bar could not be seen. */
const LEAST_PERCENT = 0.4;

export class Waterfall {
  readonly element = h("ol", { class: "waterfall", "aria-label": "Spans" });
  private readonly opened = new Set<string>();

  show(trace: Trace): void {
    const services = [...new Set(trace.rows.map((row) => row.service))];
    replace(this.element, ...trace.rows.map((row) => this.row(row, trace.total, COLOURS[services.indexOf(row.service) % COLOURS.length]!)));
  }

  clear(): void {
    replace(this.element);
  }

  private row(row: SpanRow, total: number, colour: string): HTMLElement {
    const left = total > 0 ? (100 * row.start) / total : 0;
    const width = Math.max(LEAST_PERCENT, total > 0 ? (100 * row.ms) / total : 100);
    const bar = h("span", { class: "bar", style: `left:${Math.min(left, 100 - LEAST_PERCENT)}%;width:${Math.min(width, 100 - left)}%;background:var(--${colour})` });
    const more = h("div", { class: "more", id: uniqueId("span"), hidden: !this.opened.has(row.id) });
    const open = h(
      "button",
      { type: "button", class: "span", "aria-expanded": String(this.opened.has(row.id)), "aria-controls": more.id, onclick: () => toggle() },
      h("span", { class: "name", style: `padding-left:${row.depth * 14}px` }, h("b", {}, row.service), ` ${row.name}`, row.failed && h("em", {}, " failed")),
      h("span", { class: "track", "aria-hidden": "true" }, bar),
      h("span", { class: "time" }, seconds(row.ms / 1000)),
    );
    const toggle = () => {
      const now = more.hidden;
      if (now) {
        this.opened.add(row.id);
        fill(more, row);
      } else this.opened.delete(row.id);
      more.hidden = !now;
      open.setAttribute("aria-expanded", String(now));
    };
    if (!more.hidden) fill(more, row);
    return h("li", {}, open, more);
  }
}

function fill(more: HTMLElement, row: SpanRow): void {
  const facts: [string, string][] = [
    ["begins after", seconds(row.start / 1000)],
    ["in itself", seconds(row.self / 1000)],
    ...Object.entries(row.attributes),
  ];
  const lines = row.logs.map((line) =>
    h("div", { class: "line", "data-level": line.level }, h("span", { class: "when" }, `+${seconds(Math.max(0, line.at) / 1000)}`), h("b", {}, line.event), ` ${line.more}`),
  );
  replace(
    more,
    h("dl", {}, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("div", { class: "lines" }, ...(lines.length ? lines : ["No log line was written in it."])),
  );
}
