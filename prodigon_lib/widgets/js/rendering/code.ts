// A block of code: its language, a button that copies it, and colours once it is complete.

import { copyButton } from "../parts/button";
import { h } from "../parts/dom";
import type { Markdown } from "./markdown";

const COLOURED_AT_MOST = 50_000;

export function languageOf(code: Element): string {
  return /(?:^|\s)language-([\w+#.-]+)/.exec(code.className)?.[1]?.toLowerCase() ?? "";
}

export function decorateCode(pre: HTMLElement, complete: boolean, markdown: Markdown): void {
  const code = pre.querySelector("code");
  if (!code) return;
  const language = languageOf(code);
  const text = code.textContent ?? "";
  const colours = complete && text.length <= COLOURED_AT_MOST ? markdown.highlighted(text, language) : null;
  if (colours) code.replaceChildren(colours);
  pre.tabIndex = 0;
  pre.setAttribute("role", "region");
  pre.setAttribute("aria-label", `Code${language ? `, ${language}` : ""}`);
  const head = h("div", { class: "code-head" }, h("span", {}, language || "text"), copyButton(() => code.textContent ?? "", "Copy code"));
  const box = h("div", { class: "code" }, head);
  pre.replaceWith(box);
  box.append(pre);
}
