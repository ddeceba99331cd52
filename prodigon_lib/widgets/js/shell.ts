// What surrounds every panel: a root that the page's own styles and keys stay out of, theme, banner, toasts.

import { KernelFault, type Bridge } from "./kernel/bridge";
import parts from "./look/parts.css";
import theme from "./look/theme.css";
import { followTheme, type Theme } from "./look/theme";
import { Banner } from "./parts/banner";
import { h, type Child } from "./parts/dom";
import { Toasts } from "./parts/toasts";

export interface System {
  name: string;
  url: string;
  /** Whether it is a stack: logs, traces and faults need one. */
  stack: boolean;
  away: Record<string, string>;
  /** Why the gateway does not let the panel in; empty while it does. */
  shut: string;
}

/** Something that a panel can do at once, for a palette over it. */
export interface Deed {
  title: string;
  run: () => void;
}

export class Shell {
  readonly deeds: Deed[] = [];
  readonly root: ShadowRoot;
  readonly toasts = new Toasts();
  readonly banner: Banner;
  private readonly frame = h("div", { class: "panel" });
  private readonly ends: (() => void)[] = [];
  private readonly themeListeners = new Set<(theme: Theme) => void>();

  constructor(
    el: HTMLElement,
    readonly bridge: Bridge,
    /** The same for every view of one panel, also after the page was loaded again. */
    readonly id: string,
  ) {
    // JupyterLab's shortcuts pass over an element that says so; what happens inside the root is its host's.
    const host = h("div", { "data-lm-suppress-shortcuts": "true" });
    el.append(host);
    this.root = host.attachShadow({ mode: "open" });
    this.style(theme, parts);
    this.banner = new Banner(bridge);
    this.root.append(this.frame);
    this.onClose(followTheme(this.frame, (now) => this.themeListeners.forEach((listener) => listener(now))));
    keepKeysInside(host);
    this.onClose(bridge.on("kernel", () => bridge.silent || this.look()));
    this.look();
  }

  get theme(): Theme {
    return this.frame.dataset.theme as Theme;
  }

  onTheme(listener: (theme: Theme) => void): void {
    this.themeListeners.add(listener);
  }

  /** More style sheets, for this panel alone. */
  style(...sheets: string[]): void {
    for (const text of sheets) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      this.root.adoptedStyleSheets.push(sheet);
    }
  }

  /** The panel's content, under its banner. `kind` is a class for its style sheet, `label` its name. */
  show(kind: string, label: string, ...children: Child[]): void {
    this.frame.classList.add(kind);
    this.frame.setAttribute("role", "region");
    this.frame.setAttribute("aria-label", label);
    this.frame.append(this.banner.element, ...(children.filter(Boolean) as Node[]), this.toasts.element);
  }

  /** Let a palette do this too; the panel is in view by then. */
  offer(title: string, run: () => void): void {
    this.deeds.push({ title, run });
  }

  /** Ask the kernel; a fault becomes a toast, and the answer is undefined. */
  async attempt<Value>(method: string, params: object = {}): Promise<Value | undefined> {
    try {
      return await this.bridge.ask<Value>(method, params);
    } catch (error) {
      // Of a door that is shut, the banner tells.
      if (!(error instanceof KernelFault && error.shut)) this.toasts.fault(error instanceof KernelFault ? error.message : String(error));
      return undefined;
    }
  }

  onClose(end: () => void): void {
    this.ends.push(end);
  }

  close(): void {
    for (const end of this.ends) end();
    this.bridge.close();
  }

  private async look(): Promise<void> {
    const system = await this.attempt<System>("system");
    if (system) this.banner.show(system);
  }
}

/** A notebook moves, deletes and runs cells by keys; none that is pressed in a panel is meant for it. */
function keepKeysInside(host: HTMLElement): void {
  for (const name of ["keydown", "keyup", "keypress", "paste", "copy", "cut"]) {
    host.addEventListener(name, (event) => event.stopPropagation());
  }
}
