// How answers are asked for: model, temperature and length for the panel, the system prompt for one chat.

import { Drawer } from "../parts/drawer";
import { h, replace, uniqueId, type Child } from "../parts/dom";
import type { Shell } from "../shell";
import type { Options } from "./wire";

interface Settings {
  options: Options;
  most_tokens: number;
}

export class SettingsDrawer {
  readonly drawer = new Drawer("Settings");
  private readonly model = h("select", { class: "input" });
  private readonly temperature = h("input", { type: "range", min: 0, max: 2, step: 0.1 });
  private readonly shownTemperature = h("output");
  private readonly length = h("input", { class: "input", type: "number", min: 1 });
  private readonly prompt = h("textarea", { class: "input", rows: 6, maxlength: 64_000, placeholder: "You are a patient teacher …" });

  constructor(
    private readonly shell: Shell,
    private readonly chat: { systemPrompt(): string; keepSystemPrompt(text: string): void },
  ) {
    for (const control of [this.model, this.temperature, this.length]) control.addEventListener("change", () => void this.keep());
    this.temperature.addEventListener("input", () => this.showTemperature());
    this.prompt.addEventListener("change", () => this.chat.keepSystemPrompt(this.prompt.value));
  }

  async show(): Promise<void> {
    this.drawer.show(
      field("Model", this.model),
      field("Temperature", this.temperature, "0 repeats itself; higher values vary more.", this.shownTemperature),
      field("Longest answer, in tokens", this.length),
      field("System prompt of this chat", this.prompt, "Goes before the whole conversation, and is kept with it."),
    );
    this.prompt.value = this.chat.systemPrompt();
    const [settings, models] = await Promise.all([this.shell.attempt<Settings>("settings"), this.shell.attempt<string[]>("models")]);
    if (settings) this.fill(settings, models ?? []);
  }

  private fill({ options, most_tokens }: Settings, models: string[]): void {
    const names = options.model && !models.includes(options.model) ? [options.model, ...models] : models;
    replace(this.model, h("option", { value: "" }, "the default"), ...names.map((name) => h("option", { value: name }, name)));
    this.model.value = options.model ?? "";
    this.temperature.value = String(options.temperature);
    this.showTemperature();
    this.length.max = String(most_tokens);
    this.length.value = String(options.max_tokens);
  }

  private showTemperature(): void {
    this.shownTemperature.textContent = Number(this.temperature.value).toFixed(1);
  }

  private async keep(): Promise<void> {
    const most = Number(this.length.max) || 1;
    const length = Math.min(most, Math.max(1, Math.round(Number(this.length.value)) || 1));
    this.length.value = String(length);
    const options: Options = { temperature: Number(this.temperature.value), max_tokens: length };
    if (this.model.value) options.model = this.model.value;
    await this.shell.attempt("settings", { options });
  }
}

function field(label: string, control: HTMLElement, help = "", beside: Child = null): HTMLElement {
  control.id ||= uniqueId("setting");
  const describes = help ? uniqueId("help") : null;
  if (describes) control.setAttribute("aria-describedby", describes);
  return h(
    "div",
    { class: "field" },
    h("label", { class: "label", for: control.id }, label, beside && " ", beside),
    control,
    describes && h("span", { class: "help", id: describes }, help),
  );
}
