// Tabs as WAI-ARIA has them: arrows, Home and End move between them.

import { h, uniqueId } from "./dom";

export interface Tab {
  title: string;
  content: HTMLElement;
}

export class Tabs {
  readonly element: HTMLElement;
  private readonly buttons: HTMLButtonElement[];

  constructor(
    private readonly tabs: Tab[],
    label: string,
    private readonly shown: (place: number) => void = () => {},
  ) {
    this.buttons = tabs.map((tab, place) => this.tabButton(tab, place));
    const list = h("div", { role: "tablist", "aria-label": label, onkeydown: (event) => this.move(event) }, ...this.buttons);
    this.element = h("div", { class: "tabs" }, list, ...tabs.map((tab) => tab.content));
    this.select(0);
  }

  select(place: number): void {
    this.tabs.forEach((tab, other) => {
      tab.content.hidden = other !== place;
      this.buttons[other]!.setAttribute("aria-selected", String(other === place));
      this.buttons[other]!.tabIndex = other === place ? 0 : -1;
    });
    this.shown(place);
  }

  /** As if it had been pressed: the focus goes there too. */
  choose(place: number): void {
    this.select(place);
    this.buttons[place]!.focus();
  }

  private tabButton(tab: Tab, place: number): HTMLButtonElement {
    const id = uniqueId("tab");
    tab.content.id ||= uniqueId("tabpanel");
    tab.content.setAttribute("role", "tabpanel");
    tab.content.setAttribute("aria-labelledby", id);
    const controls = { id, role: "tab", type: "button", "aria-controls": tab.content.id };
    return h("button", { ...controls, onclick: () => this.select(place) }, tab.title);
  }

  private move(event: KeyboardEvent): void {
    const now = this.buttons.findIndex((each) => each.tabIndex === 0);
    const count = this.buttons.length;
    const places: Record<string, number> = {
      ArrowRight: (now + 1) % count,
      ArrowLeft: (now + count - 1) % count,
      Home: 0,
      End: count - 1,
    };
    const next = places[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.choose(next);
  }
}
