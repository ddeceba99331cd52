// An answer that grows. What can't change any more is rendered once and left alone; only the last block is rendered
// again, at most once a frame, and less often when that takes long.

import { h } from "../parts/dom";
import { visible } from "../parts/hidden";
import type { Shell } from "../shell";
import { decorateCode, languageOf } from "./code";
import { Diagrams } from "./diagrams";
import { showTarget } from "./links";
import type { Markdown, Parsed } from "./markdown";
import { Maths } from "./maths";
import { morph } from "./morph";

const SHARE = 4;

/** What all answers of a panel share. */
export class Renderer {
  readonly maths: Maths;
  readonly diagrams: Diagrams;
  markdown: Markdown | null = null;
  private readonly waiting = new Set<() => void>();

  constructor(shell: Shell) {
    this.maths = new Maths(shell);
    this.diagrams = new Diagrams(shell);
  }

  use(markdown: Markdown): void {
    this.markdown = markdown;
    for (const ready of this.waiting) ready();
    this.waiting.clear();
  }

  whenReady(ready: () => void): void {
    if (this.markdown) ready();
    else this.waiting.add(ready);
  }

  /** Elements of an answer; `complete` when none of them will change. */
  decorate(fragment: DocumentFragment, complete: boolean): DocumentFragment {
    for (const link of fragment.querySelectorAll("a")) showTarget(link);
    for (const pre of fragment.querySelectorAll("pre")) decorateCode(pre, complete, this.markdown!);
    for (const table of fragment.querySelectorAll("table")) {
      const scroller = h("div", { class: "table-scroller", tabindex: 0, role: "region", "aria-label": "Table" });
      table.replaceWith(scroller);
      scroller.append(table);
    }
    return fragment;
  }

  /** What needs its place in the page first. */
  settle(elements: Element[]): void {
    for (const element of elements) {
      this.maths.draw(element);
      for (const box of element.matches(".code") ? [element] : element.querySelectorAll(".code")) {
        const code = box.querySelector("code");
        if (code && languageOf(code) === "mermaid") this.diagrams.draw(box as HTMLElement, code.textContent ?? "");
      }
    }
  }
}

export class Answer {
  readonly element = h("div", { class: "markdown" });
  private readonly tail = h("div", { class: "tail" });
  private source = "";
  private done = false;
  /** Where in the source the tail begins. */
  private from = 0;
  private frame = 0;
  private cost = 0;
  private rendered = 0;

  constructor(private readonly renderer: Renderer) {
    this.element.append(this.tail);
  }

  /** As it came, also what nobody sees of it. */
  get text(): string {
    return this.source;
  }

  append(text: string): void {
    this.source += text;
    this.schedule();
  }

  /** No more text follows. */
  finish(): void {
    this.done = true;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.render();
  }

  private schedule(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (performance.now() - this.rendered < this.cost * SHARE) this.schedule();
      else this.render();
    });
  }

  private render(): void {
    const { markdown } = this.renderer;
    if (!markdown) {
      this.tail.textContent = visible(this.source);
      this.renderer.whenReady(() => this.render());
      return;
    }
    const began = performance.now();
    const text = this.source.slice(this.from);
    const parsed = markdown.parse(visible(text)); // line by line the same
    if (this.done) this.renderWhole(markdown, parsed);
    else this.renderMore(markdown, parsed, text);
    this.rendered = performance.now();
    this.cost = this.rendered - began;
  }

  private renderMore(markdown: Markdown, parsed: Parsed, text: string): void {
    if (parsed.settledTokens > 0) {
      this.add(markdown, parsed, parsed.settledTokens);
      this.from += startOfLine(text, parsed.settledLines);
    }
    const wanted = this.renderer.decorate(markdown.elements(parsed.tokens.slice(parsed.settledTokens)), false);
    this.renderer.maths.draw(wanted);
    morph(this.tail, wanted);
  }

  /** A link's target may stand at the end of an answer, below its use: then all of it is made anew. */
  private renderWhole(markdown: Markdown, parsed: Parsed): void {
    let last = parsed;
    if (this.from > 0 && (parsed.hasReferences || /^ {0,3}\[[^\]]+\]:/m.test(this.source))) {
      this.element.replaceChildren(this.tail);
      last = markdown.parse(visible(this.source));
    }
    this.from = this.source.length;
    this.tail.replaceChildren();
    this.add(markdown, last, last.tokens.length);
  }

  private add(markdown: Markdown, parsed: Parsed, count: number): void {
    const fragment = this.renderer.decorate(markdown.elements(parsed.tokens.slice(0, count)), true);
    const added = [...fragment.children];
    this.tail.before(fragment);
    this.renderer.settle(added);
  }
}

function startOfLine(text: string, line: number): number {
  let at = 0;
  for (let passed = 0; passed < line; passed++) at = text.indexOf("\n", at) + 1;
  return at;
}
