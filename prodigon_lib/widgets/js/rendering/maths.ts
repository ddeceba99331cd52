// TeX as maths, once KaTeX is here. It trusts nothing: no link, no style and no image out of a formula.

import type { katex as Katex } from "../assets/katex";
import { loadAsset } from "../kernel/assets";
import type { Shell } from "../shell";

interface Library {
  katex: typeof Katex;
  style: string;
}

const LONGEST = 4_000;
const KEPT = 500;
const OPTIONS = { throwOnError: false, trust: false, strict: "ignore", maxSize: 20, maxExpand: 200, errorColor: "inherit" } as const;

export class Maths {
  private library: Library | null = null;
  private loading: Promise<void> | null = null;
  private readonly made = new Map<string, Node>();

  constructor(private readonly shell: Shell) {}

  /** Draws every formula in `root` that is closed; those that came before KaTeX did, as soon as it is here. */
  draw(root: ParentNode): void {
    const formulas = [...root.querySelectorAll<HTMLElement>("code.maths:not(.open)")];
    if (formulas.length === 0) return;
    if (this.library) formulas.forEach((formula) => this.drawOne(formula));
    else void this.load().then(() => this.draw(this.shell.root), () => {});
  }

  private load(): Promise<void> {
    this.loading ??= loadAsset<Library>(this.shell.bridge, "katex.js").then(
      (library) => {
        this.library = library;
        this.shell.style(library.style);
        addFonts(library.style);
      },
      (error) => {
        this.loading = null;
        throw error;
      },
    );
    return this.loading;
  }

  private drawOne(formula: HTMLElement): void {
    const tex = formula.textContent ?? "";
    if (tex.length > LONGEST) return;
    const display = formula.classList.contains("display");
    const key = `${display} ${tex}`;
    const drawn = this.made.get(key) ?? this.make(tex, display);
    if (this.made.size < KEPT) this.made.set(key, drawn);
    formula.replaceWith(drawn.cloneNode(true));
  }

  private make(tex: string, display: boolean): Node {
    const place = document.createElement("span");
    place.className = display ? "formula display" : "formula";
    try {
      this.library!.katex.render(tex, place, { ...OPTIONS, displayMode: display });
    } catch {
      place.textContent = tex;
    }
    return place;
  }
}

/** A font is known to a page by its own style sheets only, not by those of a shadow root. */
function addFonts(style: string): void {
  const id = "prodigon-katex-fonts";
  if (document.getElementById(id)) return;
  const element = document.createElement("style");
  element.id = id;
  element.textContent = (style.match(/@font-face\s*\{[^}]*\}/g) ?? []).join("");
  document.head.append(element);
}
