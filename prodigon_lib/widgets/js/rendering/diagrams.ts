// Mermaid's diagrams. Each becomes an image: in an image no script runs, nothing is fetched, and no style leaks.

import type { mermaid as Mermaid } from "../assets/mermaid";
import { loadAsset } from "../kernel/assets";
import type { Theme } from "../look/theme";
import { button, copyButton } from "../parts/button";
import { h } from "../parts/dom";
import type { Shell } from "../shell";

interface Library {
  mermaid: typeof Mermaid;
}

const LONGEST = 20_000;
/** What a diagram's own directives may not change. */
const SECURE = ["secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "suppressErrorRendering",
  "theme", "themeCSS", "themeVariables", "fontFamily", "altFontFamily", "htmlLabels", "flowchart", "class", "state", "dompurifyConfig", "deterministicIds", "layout", "look"];

export class Diagrams {
  private count = 0;
  private queue: Promise<unknown> = Promise.resolve();
  private readonly drawn = new Set<() => void>();

  constructor(private readonly shell: Shell) {
    shell.onTheme(() => this.drawn.forEach((again) => again()));
  }

  /** Puts a diagram in the place of a block of Mermaid's text, once it is drawn. */
  draw(box: HTMLElement, text: string): void {
    if (text.length > LONGEST) return;
    const place = h("div", { class: "diagram-image" });
    const source = box.querySelector("pre")!;
    const toggle = button("", { icon: "code", kind: "bare", name: "Show the text", "aria-pressed": false });
    toggle.addEventListener("click", () => {
      source.hidden = !source.hidden;
      place.hidden = !source.hidden;
      toggle.setAttribute("aria-pressed", String(!source.hidden));
    });
    const show = async () => {
      const image = await this.image(text).catch((error: unknown) => error);
      if (image instanceof HTMLElement) {
        place.replaceChildren(image);
        if (place.isConnected) return;
        box.querySelector(".code-head")!.replaceChildren(h("span", {}, "diagram"), toggle, copyButton(() => text, "Copy the diagram's text"));
        box.append(place);
        source.hidden = true;
      } else if (!place.isConnected && box.isConnected) {
        box.querySelector(".code-head span")!.textContent = `mermaid: ${reason(image)}`;
      }
    };
    const again = () => (box.isConnected ? void show() : this.drawn.delete(again));
    this.drawn.add(again);
    void show();
  }

  /** One after the other: Mermaid's configuration is one for the page. */
  private image(text: string): Promise<HTMLElement> {
    const made = this.queue.then(() => this.make(text, this.shell.theme));
    this.queue = made.catch(() => {});
    return made;
  }

  private async make(text: string, theme: Theme): Promise<HTMLElement> {
    const { mermaid } = await loadAsset<Library>(this.shell.bridge, "mermaid.js");
    mermaid.initialize({
      startOnLoad: false,
      securityLevel: "strict",
      secure: SECURE,
      suppressErrorRendering: true,
      maxTextSize: LONGEST,
      maxEdges: 300,
      theme: theme === "dark" ? "dark" : "neutral",
      fontFamily: "system-ui, sans-serif",
      htmlLabels: false,
      flowchart: { htmlLabels: false },
    });
    const id = `prodigon-diagram-${++this.count}`;
    try {
      const { svg } = await mermaid.render(id, text);
      return picture(svg, text);
    } finally {
      document.getElementById(`d${id}`)?.remove(); // what Mermaid measures in, left behind after a fault
    }
  }
}

function picture(svg: string, text: string): HTMLElement {
  const image = h("img", { alt: `Diagram: ${text.trim().slice(0, 300)}` });
  const box = /viewBox="([\d.\s-]+)"/.exec(svg)?.[1]?.trim().split(/\s+/).map(Number);
  if (box && box.length === 4) image.style.width = `${Math.ceil(box[2]!)}px`;
  image.src = `data:image/svg+xml;base64,${base64(sized(svg, box))}`;
  return image;
}

/** An image has no container to take its size from. */
function sized(svg: string, box: number[] | undefined): string {
  if (!box || box.length !== 4) return svg;
  return svg.replace(/^<svg /, `<svg height="${box[3]}" `).replace(/(<svg [^>]*?)width="100%"/, `$1width="${box[2]}"`);
}

function base64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function reason(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return words.split("\n")[0]!.slice(0, 120);
}
