// A part that slides over a panel. It takes the focus, Escape closes it, and the focus goes back where it was.

import { button } from "./button";
import { append, h, uniqueId, type Child } from "./dom";

export class Drawer {
  readonly element: HTMLElement;
  readonly body = h("div", { class: "body" });
  private before: HTMLElement | null = null;

  constructor(title: string, options: { side?: "left" | "right"; closed?: () => void } = {}) {
    const id = uniqueId("drawer");
    const close = button("", { icon: "close", kind: "bare", name: `Close ${title.toLowerCase()}`, onclick: () => this.close() });
    this.element = h(
      "section",
      { class: `drawer ${options.side ?? "right"}`, role: "dialog", "aria-labelledby": id, hidden: true },
      h("header", {}, h("h2", { id }, title), close),
      this.body,
    );
    this.closed = options.closed ?? (() => {});
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  private readonly closed: () => void;

  get open(): boolean {
    return !this.element.hidden;
  }

  show(...children: Child[]): void {
    if (children.length > 0) {
      this.body.replaceChildren();
      append(this.body, children);
    }
    const root = this.element.getRootNode() as Document | ShadowRoot;
    this.before = root.activeElement as HTMLElement | null;
    this.element.hidden = false;
    this.element.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
  }

  close(): void {
    if (!this.open) return;
    this.element.hidden = true;
    this.before?.focus();
    this.closed();
  }
}
