// The jobs, newest first, each with its progress as it happens.

import { button } from "../parts/button";
import { h } from "../parts/dom";
import { select } from "../parts/field";
import { KernelFault } from "../kernel/bridge";
import { whileSeen } from "../parts/seen";
import type { Shell } from "../shell";
import { hasEnded, type Job } from "./wire";

const EVERY_MS = 5_000;
const AGAIN_MS = 1_500;

/** Jobs that are followed at once; those beside them are looked at with the list. */
const FOLLOWED = 6;

const STATES: [string, string][] = [
  ["", "all"],
  ["pending", "pending"],
  ["running", "running"],
  ["completed", "completed"],
  ["failed", "failed"],
  ["cancelled", "cancelled"],
];

export class JobList {
  readonly element: HTMLElement;
  private readonly status = select(STATES, { "aria-label": "Only jobs that are" });
  private readonly list = h("ul", { class: "list", "aria-label": "Jobs" });
  private readonly none = h("p", { class: "quiet", hidden: true });
  private readonly more = button("Show more", { kind: "bare", hidden: true, onclick: () => void this.load(true) });
  private readonly rows = new Map<string, Row>();
  private readonly following = new Map<string, () => void>();
  private jobs: Job[] = [];
  private next: string | null = null;
  private selected: string | null = null;
  private pages = 1;
  private asked = 0;
  private seen = false;
  /** Why there is no list, where it is of no use to ask again. */
  private refused = "";

  constructor(
    private readonly shell: Shell,
    private readonly open: (job: Job) => void,
    private readonly changed: (job: Job) => void,
  ) {
    this.status.addEventListener("change", () => {
      this.pages = 1;
      void this.load();
    });
    this.element = h("section", { class: "jobs-list", "aria-label": "All jobs" }, h("div", { class: "list-head" }, h("h3", {}, "Jobs"), this.status), this.none, this.list, this.more);
    shell.onClose(shell.bridge.on("jobs", () => void this.load()));
    shell.onClose(whileSeen(this.element, () => this.watch()));
  }

  select(id: string | null): void {
    this.selected = id;
    this.draw();
  }

  /** News of a job, from wherever. */
  take(job: Job): void {
    const place = this.jobs.findIndex((each) => each.id === job.id);
    if (place < 0) return;
    this.jobs[place] = job;
    this.draw();
    this.changed(job);
  }

  private watch(): () => void {
    this.seen = true;
    void this.load();
    const timer = setInterval(() => this.refused || void this.load(), EVERY_MS);
    return () => {
      this.seen = false;
      clearInterval(timer);
      for (const end of this.following.values()) end();
      this.following.clear();
    };
  }

  private async load(further = false): Promise<void> {
    if (!this.seen) return;
    const asked = ++this.asked;
    if (further) this.pages += 1;
    const jobs: Job[] = [];
    let next: string | null = null;
    for (let page = 0; page < this.pages && (page === 0 || next); page++) {
      const found: { items: Job[]; next: string | null } | undefined = await this.ask(next);
      if (asked !== this.asked) return;
      if (!found) return this.refused ? this.draw() : undefined;
      jobs.push(...found.items);
      next = found.next;
    }
    this.jobs = jobs;
    this.next = next;
    this.draw();
    this.follow();
    const open = jobs.find((job) => job.id === this.selected);
    if (open) this.changed(open);
  }

  /** A list that fails while a service is away is no news: the banner says so. Whoever is refused is not asked for again. */
  private async ask(cursor: string | null): Promise<{ items: Job[]; next: string | null } | undefined> {
    try {
      const page = await this.shell.bridge.ask<{ items: Job[]; next: string | null }>("jobs", { status: this.status.value, cursor });
      this.refused = "";
      return page;
    } catch (error) {
      this.refused = error instanceof KernelFault && error.refused ? why(error) : "";
      return undefined;
    }
  }

  private follow(): void {
    for (const job of this.jobs) {
      if (this.following.size >= FOLLOWED) return;
      if (!hasEnded(job) && !this.following.has(job.id)) this.following.set(job.id, this.followOne(job.id));
    }
  }

  private followOne(id: string): () => void {
    return this.shell.bridge.follow<Job>("follow", { id }, (job) => this.take(job), () => {
      setTimeout(() => {
        if (this.following.delete(id)) void this.load();
      }, AGAIN_MS);
    });
  }

  private draw(): void {
    for (const [id, row] of this.rows) {
      if (!this.jobs.some((job) => job.id === id)) {
        row.element.remove();
        this.rows.delete(id);
      }
    }
    this.jobs.forEach((job, place) => {
      let row = this.rows.get(job.id);
      if (!row) this.rows.set(job.id, (row = new Row(job, (now) => this.open(now))));
      row.show(job, job.id === this.selected);
      if (this.list.children[place] !== row.element) this.list.insertBefore(row.element, this.list.children[place] ?? null);
    });
    this.none.hidden = this.jobs.length > 0;
    this.none.textContent = this.refused ? this.refused : this.status.value ? `No job is ${this.status.value}.` : "No jobs yet.";
    this.more.hidden = this.next === null;
  }
}

class Row {
  readonly element: HTMLElement;
  private readonly title = h("span", { class: "title" });
  private readonly state = h("span", { class: "state" });
  private readonly bar = h("progress", { max: 1, value: 0, "aria-label": "Progress" });
  private readonly open: HTMLButtonElement;
  private job: Job;

  constructor(job: Job, open: (job: Job) => void) {
    this.job = job;
    this.open = h("button", { type: "button", class: "job", onclick: () => open(this.job) }, this.title, this.state);
    this.element = h("li", {}, this.open, this.bar);
  }

  show(job: Job, selected: boolean): void {
    this.job = job;
    this.title.textContent = `${new Date(job.created).toLocaleTimeString()} · ${job.total} ${job.total === 1 ? "prompt" : "prompts"}`;
    this.state.textContent = progress(job);
    this.state.dataset.status = job.status;
    this.bar.value = job.done / job.total;
    this.bar.hidden = hasEnded(job);
    this.element.classList.toggle("current", selected);
    if (selected) this.open.setAttribute("aria-current", "true");
    else this.open.removeAttribute("aria-current");
  }
}

/** Of a door that is shut, the banner tells more. */
function why(error: KernelFault): string {
  return error.shut ? "The jobs can't be shown." : `The jobs can't be shown: ${error.message}.`;
}

export function progress(job: Job): string {
  const failed = job.failed ? `, ${job.failed} failed` : "";
  return `${job.status} · ${job.done} of ${job.total}${failed}`;
}
