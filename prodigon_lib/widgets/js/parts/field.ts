// A control with its label, and what helps to understand it.

import { h, uniqueId } from "./dom";

export function field(label: string, control: HTMLElement, help = ""): HTMLElement {
  control.id ||= uniqueId("control");
  const about = help ? uniqueId("help") : null;
  if (about) control.setAttribute("aria-describedby", about);
  return h(
    "div",
    { class: "field" },
    h("label", { class: "label", for: control.id }, label),
    control,
    about && h("span", { class: "help", id: about }, help),
  );
}

export function select(options: [value: string, title: string][], props: Record<string, unknown> = {}): HTMLSelectElement {
  return h("select", { class: "input", ...props }, ...options.map(([value, title]) => h("option", { value }, title)));
}
