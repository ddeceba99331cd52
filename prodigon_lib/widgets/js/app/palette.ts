// The command palette: type a few letters of what you want, arrows choose, Enter does it.

import { h, replace, uniqueId } from "../parts/dom";

export interface Command {
  group: string;
  title: string;
  run: () => void;
}

export class Palette {
  readonly element: HTMLDialogElement;
  private readonly input: HTMLInputElement;
  private readonly list = h("ul", { class: "found", role: "listbox", id: uniqueId("commands"), "aria-label": "Commands" });
  private found: Command[] = [];
  private chosen = 0;

  constructor(private readonly commands: () => Command[]) {
    const roles = { role: "combobox", "aria-expanded": "true", "aria-autocomplete": "list", "aria-controls": this.list.id };
    const words = { "aria-label": "What to do", placeholder: "A tab, a lesson, an action" };
    this.input = h("input", { class: "input", type: "text", autocomplete: "off", spellcheck: "false", ...roles, ...words });
    this.input.addEventListener("input", () => this.find());
    this.element = h("dialog", { class: "palette", "aria-label": "Command palette" }, this.input, this.list);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("click", (event) => event.target === this.element && this.close());
  }

  toggle(): void {
    if (this.element.open) return this.close();
    this.input.value = "";
    this.element.showModal();
    this.input.focus();
    this.find();
  }

  close(): void {
    this.element.close();
  }

  private find(): void {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.found = this.commands().filter(({ group, title }) => {
      const text = `${group} ${title}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    replace(this.list, ...this.found.map((command, place) => this.option(command, place)));
    if (this.found.length === 0) this.list.append(h("li", { class: "quiet", role: "option", "aria-disabled": "true" }, "Nothing of that name."));
    this.choose(0);
  }

  private option(command: Command, place: number): HTMLElement {
    const look = { role: "option", id: uniqueId("command"), onclick: () => this.run(place), onpointermove: () => this.choose(place) };
    return h("li", look, h("span", {}, command.title), h("span", { class: "quiet" }, command.group));
  }

  private choose(place: number): void {
    this.chosen = place;
    Array.from(this.list.children).forEach((option, other) => option.setAttribute("aria-selected", String(other === place)));
    const option = this.list.children[place];
    this.input.setAttribute("aria-activedescendant", option?.id ?? "");
    option?.scrollIntoView({ block: "nearest" });
  }

  private key(event: KeyboardEvent): void {
    const count = this.found.length;
    if (event.key === "Enter") this.run(this.chosen);
    else if (event.key === "ArrowDown" && count) this.choose((this.chosen + 1) % count);
    else if (event.key === "ArrowUp" && count) this.choose((this.chosen + count - 1) % count);
    else return;
    event.preventDefault();
  }

  /** Closed first: a dialog gives the focus back as it closes, and a command may move it on. */
  private run(place: number): void {
    const command = this.found[place];
    if (!command) return;
    this.close();
    command.run();
  }
}
