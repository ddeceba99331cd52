// Where prompts come in: typed or pasted, one a line, or from a file.

import { button } from "../parts/button";
import { h } from "../parts/dom";
import { field } from "../parts/field";
import type { Shell } from "../shell";
import type { Job } from "./wire";

const FILES = ".txt,.csv,.jsonl";
const LARGEST = 8 * 1024 * 1024;

export class Submit {
  readonly element: HTMLElement;
  private readonly text = h("textarea", { class: "input", rows: 4, spellcheck: "true", placeholder: "What is back-pressure?\nWhat is a lease?" });
  private readonly file = h("input", { type: "file", accept: FILES, class: "for-readers", tabindex: -1, "aria-label": "A file of prompts" });
  private readonly word = h("span", { class: "quiet", role: "status" });
  private readonly send = button("Submit", { icon: "send", kind: "primary", onclick: () => void this.submit() });
  private readonly forget = button("Leave the file out", { icon: "close", hidden: true, onclick: () => this.useFile(null) });
  private loaded: string[] | null = null;

  constructor(
    private readonly shell: Shell,
    private readonly made: (jobs: Job[]) => void,
  ) {
    const load = button("Load a file", { icon: "download", onclick: () => this.file.click() });
    this.file.addEventListener("change", () => void this.load());
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void this.submit();
    });
    this.element = h(
      "section",
      { class: "submit", "aria-label": "New job" },
      field("Prompts, one a line", this.text, "A file may be txt (a line each), csv (the column “prompt”, else the first) or jsonl. Ctrl+Enter submits."),
      h("div", { class: "deeds" }, this.send, load, this.file, this.forget, this.word),
    );
  }

  focus(): void {
    this.text.focus();
  }

  private async load(): Promise<void> {
    const file = this.file.files?.[0];
    this.file.value = "";
    if (!file) return;
    if (file.size > LARGEST) {
      this.shell.toasts.fault(`${file.name} is larger than 8 MB.`);
      return;
    }
    const found = await this.shell.attempt<{ prompts: string[]; jobs: number }>("count", { text: await file.text(), name: file.name });
    if (!found) return;
    const jobs = found.jobs > 1 ? `, which make ${found.jobs} jobs` : "";
    this.useFile(found.prompts, `${file.name}: ${found.prompts.length} prompts${jobs}.`);
  }

  private useFile(prompts: string[] | null, word = ""): void {
    this.loaded = prompts;
    this.text.disabled = prompts !== null;
    this.forget.hidden = prompts === null;
    this.word.textContent = word;
  }

  private async submit(): Promise<void> {
    if (this.send.disabled) return;
    this.send.disabled = true;
    const params = this.loaded ? { prompts: this.loaded } : { text: this.text.value };
    const jobs = await this.shell.attempt<Job[]>("submit", params);
    this.send.disabled = false;
    if (!jobs) return;
    if (!this.loaded) this.text.value = "";
    this.useFile(null);
    this.made(jobs);
  }
}
