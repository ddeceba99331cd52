// All panels of one system as a page: the landing page and each panel behind a tab, and the palette over them.

import type { Model } from "../kernel/bridge";
import { button } from "../parts/button";
import { h } from "../parts/dom";
import { Tabs } from "../parts/tabs";
import type { Shell } from "../shell";
import style from "./app.css";
import { Landing } from "./landing";
import { Palette, type Command } from "./palette";

/** A model that names others, as ipywidgets has it. */
export interface Holder extends Model {
  widget_manager: { get_model(id: string): Promise<Model> };
}

type ShowPanel = (model: Model, el: HTMLElement) => Shell;

interface Section {
  title: string;
  /** In the page's address, so that a reload comes back to it. */
  word: string;
  content: HTMLElement;
  shell: Shell | null;
}

const MARK = "IPY_MODEL_";

export function app(shell: Shell, model: Holder, show: ShowPanel): void {
  shell.style(style);
  const ids = (model.get("panels") as string[]).map((id) => id.replace(MARK, ""));
  Promise.all(ids.map((id) => model.widget_manager.get_model(id))).then(
    (models) => new App(shell, models, show),
    (error) => shell.show("app", "Prodigon", h("p", {}, `The panels did not come: ${error}. Load the page again.`)),
  );
}

class App {
  private readonly landing: Landing;
  private readonly palette = new Palette(() => this.commands());
  private readonly sections: Section[];
  private readonly tabs: Tabs;
  /** Not yet while the tabs are made, which begin with the first. */
  private listening = false;

  constructor(private readonly shell: Shell, models: Model[], show: ShowPanel) {
    this.landing = new Landing(shell);
    const home = { title: "Start", word: "start", content: this.landing.element, shell: null };
    this.sections = [home, ...models.map((model) => section(model, show))];
    for (const { shell: inner } of this.sections) inner && shell.onClose(() => inner.close());
    const before = this.sections.findIndex(({ word }) => `#${word}` === location.hash);
    this.tabs = new Tabs(this.sections, "Parts of the page", (place) => this.listening && this.shown(place));
    const open = button("Go to", { icon: "search", name: "Go to Ctrl K: the command palette", onclick: () => this.palette.toggle() });
    open.append(" ", h("kbd", {}, "Ctrl K"));
    shell.show("app", "Prodigon", h("header", { class: "bar" }, h("h1", {}, "Prodigon"), open), this.tabs.element, this.palette.element);
    this.listen();
    this.tabs.select(Math.max(0, before));
    if (before > 0) void this.landing.load(); // the palette has the lessons too
  }

  /** On the way down, as a panel keeps its keys to itself. */
  private listen(): void {
    this.listening = true;
    const key = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      event.stopPropagation();
      this.palette.toggle();
    };
    window.addEventListener("keydown", key, { capture: true });
    this.shell.onClose(() => window.removeEventListener("keydown", key, { capture: true }));
  }

  private shown(place: number): void {
    const { word, title } = this.sections[place]!;
    history.replaceState(null, "", `#${word}`);
    document.title = `${title} · Prodigon`;
    if (place === 0) void this.landing.load();
  }

  private commands(): Command[] {
    const tabs = this.sections.map(({ title }, place) => ({ group: "tab", title, run: () => this.tabs.choose(place) }));
    const deeds = this.sections.flatMap(({ title, shell }, place) =>
      (shell?.deeds ?? []).map((deed) => ({
        group: title.toLowerCase(),
        title: deed.title,
        run: () => {
          this.tabs.select(place);
          deed.run();
        },
      })),
    );
    const lessons = this.landing.lessons.map((lesson) => ({
      group: "lesson",
      title: `${lesson.number}. ${lesson.title}`,
      run: () => {
        this.tabs.select(0);
        this.landing.open(lesson);
      },
    }));
    return [...tabs, ...deeds, ...lessons, { group: "page", title: "Look at my progress again", run: () => this.tabs.choose(0) }];
  }
}

function section(model: Model, show: ShowPanel): Section {
  const word = String(model.get("kind"));
  const content = h("div", { class: "panel-in-tab" });
  return { title: word[0]!.toUpperCase() + word.slice(1), word, content, shell: show(model, content) };
}
