// Where a link leads, beside it: its words are the model's, and may name another place.

import { h } from "../parts/dom";

const CONTROL = "x-dns-prefetch-control";

export function showTarget(link: HTMLAnchorElement): void {
  const where = link.host || link.pathname;
  const words = (link.textContent ?? "").trim().replace(/^(https?:\/\/|mailto:)/i, "");
  link.title = link.href;
  if (words !== where && !words.startsWith(`${where}/`)) link.after(h("span", { class: "where" }, ` (${where})`));
}

/**
 * A browser may look up the names in a page's links before anybody follows one, and a name can carry words away.
 * Once it is told not to, nothing in the page can allow it again.
 */
export function lookUpNothing(): void {
  if (document.querySelector(`meta[http-equiv="${CONTROL}"]`)) return;
  document.head.append(h("meta", { "http-equiv": CONTROL, content: "off" }));
}
