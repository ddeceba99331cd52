// One message of a conversation, and what can be done with it.

import type { Fault } from "../kernel/bridge";
import { icon } from "../look/icons";
import { button, copyButton } from "../parts/button";
import { h, replace } from "../parts/dom";
import { hiddenWords, visible } from "../parts/hidden";
import { Answer, type Renderer } from "../rendering/answer";
import { onEnter } from "./composer";
import { statsLine } from "./stats";
import type { Meta } from "./wire";

export interface Deeds {
  again(): void;
  edit(entry: Question, content: string): void;
}

export class Question {
  readonly element: HTMLElement;
  id: string | null = null;
  private readonly body: HTMLElement;
  private readonly actions: HTMLElement;

  constructor(readonly content: string, private readonly deeds: Deeds) {
    this.body = h("div", { class: "said" }, content);
    this.actions = h(
      "div",
      { class: "actions" },
      copyButton(() => content, "Copy your message"),
      button("", { icon: "pencil", kind: "bare", name: "Edit and send again", onclick: () => this.edit() }),
    );
    const hidden = hiddenWords(content);
    const note = hidden && h("div", { class: "stats" }, `${hidden} in it: the model reads them`);
    this.element = h("article", { class: "entry question", "aria-label": "You" }, this.body, note, this.actions);
  }

  /** In place; Enter sends, Escape leaves it as it was. */
  private edit(): void {
    const area = h("textarea", { class: "input", rows: Math.min(10, this.content.split("\n").length + 1), "aria-label": "Edit your message" });
    area.value = visible(this.content);
    const leave = () => {
      replace(this.body, this.content);
      this.actions.hidden = false;
      this.actions.querySelectorAll("button")[1]?.focus();
    };
    const send = () => {
      const content = area.value.trim();
      if (content) this.deeds.edit(this, content);
    };
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        leave();
      }
    });
    onEnter(area, send);
    const keys = h("div", { class: "edit-actions" }, button("Send", { kind: "primary", onclick: send }), button("Cancel", { onclick: leave }));
    this.actions.hidden = true;
    replace(this.body, area, keys);
    area.focus();
  }
}

export class Reply {
  readonly element: HTMLElement;
  readonly answer: Answer;
  private readonly waiting = h("span", { class: "waiting" }, "…");
  private readonly stats = h("span", { class: "stats" });
  private readonly note = h("div", { class: "note", hidden: true });
  private readonly againButton: HTMLButtonElement;
  private readonly foot: HTMLElement;

  constructor(renderer: Renderer, private readonly deeds: Deeds) {
    this.answer = new Answer(renderer);
    this.againButton = button("", { icon: "again", kind: "bare", name: "Answer again", onclick: () => deeds.again() });
    this.foot = h("div", { class: "foot", hidden: true }, this.stats, h("div", { class: "actions" }, copyButton(() => this.answer.text, "Copy the answer"), this.againButton));
    this.element = h("article", { class: "entry reply", "aria-label": "Model" }, this.waiting, this.answer.element, this.note, this.foot);
    this.element.setAttribute("aria-busy", "true");
  }

  append(text: string): void {
    this.waiting.remove();
    this.answer.append(text);
  }

  finish(meta: Meta | null): void {
    this.end();
    const hidden = hiddenWords(this.answer.text);
    this.stats.textContent = [statsLine(meta), hidden && `${hidden} left out`].filter(Boolean).join(" · ");
    this.foot.hidden = false;
  }

  /** Stopped before its first token, cut by a fault, or never kept: says so, and offers to ask again. */
  leave(words: string, fault: Fault | null = null): void {
    this.end();
    const trace = fault?.request_id ? h("code", { class: "request" }, `request ${fault.request_id}`) : null;
    replace(this.note, icon(fault ? "warn" : "stop"), h("span", {}, words, trace && " ", trace), button("Try again", { icon: "again", onclick: () => this.deeds.again() }));
    this.note.classList.toggle("fault", fault !== null);
    this.note.hidden = false;
  }

  /** Only the last answer can be asked for again. */
  set last(last: boolean) {
    this.againButton.hidden = !last;
    if (!last) this.note.querySelector("button")?.remove();
  }

  private end(): void {
    this.waiting.remove();
    this.answer.finish();
    this.element.removeAttribute("aria-busy");
  }
}
