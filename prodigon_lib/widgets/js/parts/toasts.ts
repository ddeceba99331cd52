// Words that come and go in a corner; a fault stays until it is closed.

import { button } from "./button";
import { h } from "./dom";

const SECONDS = 5;

export class Toasts {
  readonly element = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

  say(words: string): void {
    const toast = this.add(words, "");
    setTimeout(() => toast.remove(), SECONDS * 1000);
  }

  fault(words: string): void {
    this.add(words, "fault");
  }

  private add(words: string, kind: string): HTMLElement {
    const close = button("", { icon: "close", kind: "bare", name: "Close", onclick: () => toast.remove() });
    const toast = h("div", { class: `toast ${kind}` }, h("span", {}, words), close);
    this.element.append(toast);
    if (this.element.childElementCount > 4) this.element.firstElementChild?.remove();
    return toast;
  }
}
