// The line over a panel while its kernel or a service is away, or the gateway does not let it in. It goes by itself.

import { icon } from "../look/icons";
import type { Bridge } from "../kernel/bridge";
import { h, replace } from "./dom";

type Away = Record<string, string>;

export class Banner {
  readonly element = h("div", { class: "banner", role: "status", hidden: true });
  private away: Away = {};
  private shut = "";

  constructor(private readonly bridge: Bridge) {
    bridge.on<{ away: Away }>("services", (news) => this.show(news));
    bridge.on<{ shut: string }>("door", (news) => this.show(news));
    bridge.on("kernel", () => this.show({}));
  }

  /** What is not named stays as it was. */
  show({ away = this.away, shut = this.shut }: { away?: Away; shut?: string }): void {
    this.away = away;
    this.shut = shut;
    const words = this.bridge.silent ? KERNEL_IS_SILENT : sentence(away) || shut;
    if (words === this.element.dataset.words) return;
    this.element.dataset.words = words;
    this.element.hidden = !words;
    replace(this.element, words && icon("warn"), words && h("span", {}, words));
  }
}

const KERNEL_IS_SILENT =
  "The kernel is busy or has stopped. This panel goes on when it answers; after a restart, run the cell again.";

function sentence(away: Away): string {
  const names = Object.keys(away);
  if (names.length === 0) return "";
  const [name] = names;
  const verb = names.length === 1 ? "is" : "are";
  const reason = names.length === 1 && away[name!] ? ` (${away[name!]})` : "";
  return `Away: ${names.join(" and ")}${reason}. What needs ${verb === "is" ? "it" : "them"} waits or fails until ${
    verb === "is" ? "it is" : "they are"
  } back.`;
}
