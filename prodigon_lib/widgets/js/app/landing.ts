// Where the page begins: the lessons, how far the learner got, and how to open each.

import { button, copyButton } from "../parts/button";
import { h, replace } from "../parts/dom";
import type { Shell } from "../shell";
import type { Lesson, Lessons } from "./wire";

const WORDS = { passed: "passed", tried: "not yet", begun: "begun", untouched: "not begun" };

export class Landing {
  readonly element: HTMLElement;
  lessons: Lesson[] = [];
  private readonly summary = h("p", { class: "summary", role: "status" }, "Looking at your progress …");
  private readonly way = h("div", { class: "way" });
  private readonly list = h("ol", { class: "lessons", "aria-label": "Lessons" });

  constructor(private readonly shell: Shell) {
    const again = button("Look again", { icon: "again", onclick: () => void this.load() });
    const head = h("header", { class: "head" }, h("h2", {}, "Lessons"), this.summary, again);
    this.element = h("div", { class: "landing" }, head, this.way, this.list);
  }

  async load(): Promise<void> {
    const found = await this.shell.attempt<Lessons>("lessons");
    if (!found) {
      this.summary.textContent = "The lessons could not be read.";
      return;
    }
    this.lessons = found.lessons;
    this.summary.textContent = [found.summary, found.notice].filter(Boolean).join(". ");
    replace(this.way, ...wayIn(found));
    replace(this.list, ...found.lessons.map(row));
  }

  /** Open a lesson where JupyterLab runs, else show how to. */
  open(lesson: Lesson): void {
    if (lesson.link) window.open(lesson.link, "_blank", "noopener");
    else this.list.querySelector<HTMLElement>(`[data-number="${lesson.number}"]`)?.focus();
  }
}

function wayIn({ folder, lessons }: Lessons): (Node | string)[] {
  if (lessons.some((lesson) => lesson.link)) return ["JupyterLab runs: each title opens its notebook there."];
  const command = folder ? `cd ${quoted(folder)} && prodigon lab` : "prodigon lab";
  return ["The notebooks open in JupyterLab. Start it in a terminal, then look again: ", h("code", {}, command), copyButton(() => command, "Copy the command")];
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

function row(lesson: Lesson): HTMLElement {
  const name = `${lesson.number}. ${lesson.title}`;
  const title = lesson.link ? h("a", { href: lesson.link, target: "_blank", rel: "noopener" }, name) : name;
  const { questions, right } = lesson.quiz;
  return h(
    "li",
    { "data-number": lesson.number, tabindex: -1 },
    h("h3", {}, title),
    h("p", { class: "file" }, "notebooks/", h("wbr"), ...breakable(lesson.notebook)),
    lesson.number === 0 && h("p", {}, "Begin here: start the whole system, and follow one request, one stream and one job through it."),
    lesson.exercises.length > 0 && h("ul", { class: "exercises", "aria-label": `Exercises of lesson ${lesson.number}` }, ...lesson.exercises.map(exercise)),
    questions > 0 && h("p", { class: "quiet" }, `Quiz: ${right} of ${questions} right`),
  );
}

/** A long name breaks between its words. */
function breakable(name: string): Node[] {
  return name.split(/(?<=_)/).flatMap((part) => [new Text(part), h("wbr")]);
}

function exercise({ number, title, state }: Lesson["exercises"][number]): HTMLElement {
  return h("li", { class: state }, h("span", {}, `${number} ${title}`), h("span", { class: "state" }, WORDS[state]));
}
