// One job: its results in the order of its prompts, and what can be done with them.

import { button, copyButton, copyText } from "../parts/button";
import { h } from "../parts/dom";
import { visible } from "../parts/hidden";
import { Table } from "../parts/table";
import type { Shell } from "../shell";
import { progress } from "./list";
import { hasEnded, type Job, type PromptRow } from "./wire";

const PAUSE_MS = 500;

export class Detail {
  readonly element = h("section", { class: "detail", "aria-label": "Results", hidden: true });
  private readonly state = h("span", { class: "state", role: "status" });
  private readonly error = h("p", { class: "quiet" });
  private readonly cancel = button("Cancel", { icon: "stop", onclick: () => void this.act("cancel") });
  private readonly retry = button("Retry what failed", { icon: "again", onclick: () => void this.act("retry") });
  private readonly copy = button("Copy all", { icon: "copy", onclick: () => void this.copyAll() });
  private readonly table: Table<PromptRow>;
  private rows: PromptRow[] = [];
  private job: Job | null = null;
  private shownRows = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly shell: Shell,
    private readonly news: (job: Job) => void,
  ) {
    this.table = new Table<PromptRow>(
      [
        { title: "No.", cell: (row) => row.number, number: true },
        { title: "Prompt", cell: (row) => row.prompt ?? "–" },
        { title: "Result", cell: (row) => row.result ?? row.error ?? "…" },
        { title: "", cell: (row) => row.result !== null && copyButton(() => this.rows[row.number - 1]?.result ?? "", `Copy result ${row.number}`) },
      ],
      (row) => `${row.number} ${row.result === null}`,
      "Results",
      (element, row) => element.classList.toggle("failed", row.error !== null),
    );
    const save = (form: string) => button(form.toUpperCase(), { icon: "download", name: `Download as ${form.toUpperCase()}`, onclick: () => void this.download(form) });
    const deeds = h("div", { class: "deeds" }, this.cancel, this.retry, this.copy, save("json"), save("csv"));
    this.element.append(h("div", { class: "list-head" }, h("h3", {}, "Results"), this.state), deeds, this.error, this.table.element);
    shell.onClose(() => clearTimeout(this.timer));
  }

  async open(job: Job): Promise<void> {
    this.element.hidden = false;
    this.job = job;
    this.shownRows = "";
    await this.load();
  }

  /** The open job went on: its results are fetched twice a second at most. */
  take(job: Job): void {
    if (job.id !== this.job?.id) return;
    this.head(job);
    const now = JSON.stringify(job);
    if (now === this.shownRows || this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.load();
    }, PAUSE_MS);
  }

  private async load(): Promise<void> {
    const id = this.job!.id;
    let found: { job: Job; rows: PromptRow[] };
    try {
      found = await this.shell.bridge.ask("job", { id });
    } catch {
      return; // the next news, or the banner, tells
    }
    if (this.job?.id !== id) return;
    this.shownRows = JSON.stringify(found.job);
    this.rows = found.rows;
    this.head(found.job);
    this.table.show(found.rows);
  }

  private head(job: Job): void {
    this.job = job;
    this.state.textContent = progress(job);
    this.state.dataset.status = job.status;
    this.error.textContent = visible(job.error ?? "");
    this.error.hidden = !job.error;
    this.cancel.hidden = hasEnded(job);
    this.retry.hidden = !hasEnded(job) || job.failed === 0;
  }

  private async act(method: "cancel" | "retry"): Promise<void> {
    const job = await this.shell.attempt<Job>(method, { id: this.job!.id });
    if (!job) return;
    this.news(job);
    this.take(job);
  }

  private async copyAll(): Promise<void> {
    const text = this.rows.map((row) => `${row.number}. ${row.result ?? row.error ?? ""}`).join("\n\n");
    if (await copyText(text, this.copy)) this.shell.toasts.say("Copied.");
    else this.shell.toasts.fault("This page may not copy.");
  }

  private async download(form: string): Promise<void> {
    const file = await this.shell.attempt<{ name: string; text: string }>("download", { id: this.job!.id, form });
    if (!file) return;
    const url = URL.createObjectURL(new Blob([file.text], { type: form === "csv" ? "text/csv" : "application/json" }));
    const link = h("a", { href: url, download: file.name });
    link.click();
    URL.revokeObjectURL(url);
  }
}
