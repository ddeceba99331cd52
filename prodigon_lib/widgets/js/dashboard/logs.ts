// The logs of all processes as they are written, filtered by service, level or request.

import { KernelFault } from "../kernel/bridge";
import { button } from "../parts/button";
import { h, replace } from "../parts/dom";
import { field, select } from "../parts/field";
import { whileSeen } from "../parts/seen";
import type { Shell } from "../shell";
import type { LogRecord } from "./wire";

const SHOWN = 400;
const TYPING_MS = 300;

export class Logs {
  readonly element: HTMLElement;
  private readonly service = select([["", "all"], ["gateway", "gateway"], ["model", "model"], ["worker", "worker"], ["supervisor", "supervisor"], ["postgres", "postgres"], ["redis", "redis"]]);
  private readonly level = select([["", "all"], ["info", "info and above"], ["warning", "warning and above"], ["error", "error and above"]]);
  private readonly request = h("input", { class: "input", type: "search", spellcheck: "false", placeholder: "any" });
  private readonly lines = h("div", { class: "lines", role: "log", "aria-label": "Log lines", "aria-live": "off", tabindex: 0 });
  private readonly word = h("p", { class: "quiet" });
  private end: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly shell: Shell) {
    const filters = h("div", { class: "filters" }, field("Service", this.service), field("Level", this.level), field("Request id", this.request));
    this.element = h("div", { class: "logs" }, filters, this.word, this.lines);
    this.service.addEventListener("change", () => this.again());
    this.level.addEventListener("change", () => this.again());
    this.request.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.again(), TYPING_MS);
    });
    shell.onClose(whileSeen(this.lines, () => this.watch()));
  }

  private watch(): () => void {
    this.end = this.follow();
    return () => {
      this.end?.();
      this.end = null;
    };
  }

  private again(): void {
    if (!this.end) return;
    this.end();
    this.end = this.follow();
  }

  private follow(): () => void {
    const filters = { service: this.service.value || null, level: this.level.value || null, request_id: this.request.value.trim() || null };
    return this.shell.bridge.follow<{ records: LogRecord[]; first: boolean }>(
      "logs",
      filters,
      ({ records, first }) => this.add(records, first),
      (fault) => {
        replace(this.lines);
        this.say(fault ? new KernelFault(fault).message : "");
      },
    );
  }

  private add(records: LogRecord[], first: boolean): void {
    const atEnd = first || this.lines.scrollTop + this.lines.clientHeight > this.lines.scrollHeight - 40;
    if (first) replace(this.lines);
    this.lines.append(...records.map((record) => this.line(record)));
    while (this.lines.childElementCount > SHOWN) this.lines.firstElementChild!.remove();
    if (atEnd) this.lines.scrollTop = this.lines.scrollHeight;
    this.say(this.lines.childElementCount ? "" : "Nothing yet. Requests that only look whether a service is well are left out.");
  }

  private line(record: LogRecord): HTMLElement {
    const id = record.request_id;
    const start = id?.slice(0, 8);
    const pick = id && button(start!, { kind: "bare", class: "id", "aria-label": `${start}: only this request`, title: id, onclick: () => this.only(id) });
    return h(
      "div",
      { class: "line", "data-level": record.level },
      h("span", { class: "when" }, record.time.slice(11, 23)),
      h("span", { class: "level" }, record.level),
      h("span", { class: "who" }, record.process),
      h("span", { class: "what" }, h("b", {}, record.event), record.more && ` ${record.more}`, record.exception && h("pre", {}, record.exception)),
      pick,
    );
  }

  private only(id: string): void {
    this.request.value = id;
    this.again();
  }

  private say(words: string): void {
    this.word.textContent = words;
    this.word.hidden = !words;
  }
}
