// The trace view: which request, and its way through the services.

import { KernelFault } from "../kernel/bridge";
import { button } from "../parts/button";
import { h, replace } from "../parts/dom";
import { field } from "../parts/field";
import { seconds } from "../parts/numbers";
import { whileSeen } from "../parts/seen";
import type { Shell } from "../shell";
import style from "./trace.css";
import { Waterfall } from "./waterfall";
import type { Request, Trace } from "./wire";

export function trace(shell: Shell): void {
  shell.style(style);
  new TraceView(shell);
}

class TraceView {
  private readonly id = h("input", { class: "input", type: "search", spellcheck: "false", placeholder: "the id in X-Request-ID" });
  private readonly newest = h("input", { type: "checkbox", checked: true });
  private readonly recent = h("ul", { class: "recent", "aria-label": "Newest requests" });
  private readonly word = h("p", { class: "quiet", role: "status" }, "Waiting for a request …");
  private readonly waterfall = new Waterfall();
  private requests: Request[] = [];
  private shown: string | null = null;
  private asked = 0;

  constructor(private readonly shell: Shell) {
    const show = button("Show", { icon: "search", onclick: () => this.choose(this.id.value.trim()) });
    this.id.addEventListener("keydown", (event) => event.key === "Enter" && this.choose(this.id.value.trim()));
    this.newest.addEventListener("change", () => this.newest.checked && this.follow());
    const ask = h("div", { class: "ask" }, field("Request id", this.id), show, h("label", { class: "newest" }, this.newest, "Follow the newest"));
    const list = h("nav", { class: "requests", "aria-label": "Requests" }, h("h3", {}, "Newest requests"), this.recent);
    const main = h("div", { class: "main" }, this.word, this.waterfall.element);
    shell.offer("Trace of a request id", () => this.id.focus());
    shell.show("trace", "Trace", ask, h("div", { class: "columns" }, list, main));
    shell.onClose(whileSeen(ask, () => this.watch()));
  }

  private watch(): () => void {
    return this.shell.bridge.follow<Request[]>(
      "recent",
      {},
      (requests) => {
        this.requests = requests;
        this.draw();
        if (this.newest.checked) this.follow();
      },
      (fault) => fault && this.say(fault.message),
    );
  }

  private follow(): void {
    const newest = this.requests[0];
    if (newest && newest.request_id !== this.shown) void this.load(newest.request_id);
  }

  private choose(id: string): void {
    if (!id) return;
    this.newest.checked = false;
    void this.load(id);
  }

  private async load(id: string): Promise<void> {
    const asked = ++this.asked;
    this.shown = id;
    this.id.value = id;
    this.draw();
    let found: Trace;
    try {
      found = await this.shell.bridge.ask<Trace>("trace", { request_id: id });
    } catch (error) {
      if (asked !== this.asked) return;
      this.waterfall.clear();
      this.say(error instanceof KernelFault ? error.message : String(error));
      return;
    }
    if (asked !== this.asked) return;
    const services = new Set(found.rows.map((row) => row.service)).size;
    this.say(`${found.rows.length} ${found.rows.length === 1 ? "span" : "spans"} in ${services} ${services === 1 ? "service" : "services"}, ${seconds(found.total / 1000)} in all.`);
    this.waterfall.show(found);
  }

  private draw(): void {
    const focused = (this.shell.root.activeElement as HTMLElement | null)?.dataset.id;
    replace(this.recent, ...this.requests.map((request) => this.entry(request)));
    if (focused) this.recent.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  private entry(request: Request): HTMLElement {
    const current = request.request_id === this.shown;
    const choose = () => this.choose(request.request_id);
    return h(
      "li",
      { class: current ? "current" : "" },
      h(
        "button",
        { type: "button", "data-id": request.request_id, "aria-current": current && "true", onclick: choose },
        h("span", { class: "what" }, request.what),
        h("span", { class: "quiet" }, `${request.time.slice(11, 19)} · ${request.status} · ${seconds(request.ms / 1000)}`),
      ),
    );
  }

  private say(words: string): void {
    this.word.textContent = words;
  }
}
