// Where one writes: Enter sends, Shift+Enter breaks the line, Escape stops the answer that is being written.

import { icon } from "../look/icons";
import { button } from "../parts/button";
import { h } from "../parts/dom";

const TALLEST_PX = 180;
const LONGEST = 64_000;

/** Not while an input method composes a character. */
export function onEnter(area: HTMLTextAreaElement, act: () => void): void {
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    act();
  });
}

export class Composer {
  readonly element: HTMLElement;
  private readonly area = h("textarea", {
    class: "input",
    rows: 1,
    maxlength: LONGEST,
    placeholder: "Ask something",
    "aria-label": "Your message",
  });
  private readonly key: HTMLButtonElement;
  private running = false;

  constructor(private readonly send: (content: string) => void, private readonly stop: () => void) {
    this.key = button("", { kind: "primary", onclick: () => (this.running ? this.stop() : this.submit()) });
    onEnter(this.area, () => this.submit());
    this.area.addEventListener("input", () => this.fit());
    const help = h("p", { class: "help" }, "Enter sends · Shift+Enter breaks the line · Esc stops");
    this.element = h("div", { class: "composer" }, h("div", { class: "row" }, this.area, this.key), help);
    this.setRunning(false);
  }

  setRunning(running: boolean): void {
    this.running = running;
    const name = running ? "Stop" : "Send";
    this.key.replaceChildren(icon(running ? "stop" : "send"));
    this.key.setAttribute("aria-label", name);
    this.key.title = name;
  }

  focus(): void {
    this.area.focus();
  }

  /** Gives back what could not be sent, unless something new is there. */
  restore(content: string): void {
    this.area.value ||= content;
    this.fit();
  }

  private submit(): void {
    const content = this.area.value.trim();
    if (!content || this.running) return;
    this.area.value = "";
    this.fit();
    this.send(content);
  }

  private fit(): void {
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(TALLEST_PX, this.area.scrollHeight + 2)}px`;
  }
}
