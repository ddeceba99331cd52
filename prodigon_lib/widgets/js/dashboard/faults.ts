// Harm on purpose: to the model, to a process, to a line between two of them. One button undoes it all.

import { button } from "../parts/button";
import { h } from "../parts/dom";
import { field, select } from "../parts/field";
import { Table } from "../parts/table";
import { whileSeen } from "../parts/seen";
import type { Shell } from "../shell";
import type { Faults } from "./wire";

type Process = Faults["processes"][number];
type Edge = NonNullable<Faults["edges"]>[number];

const EVERY_MS = 3_000;

/** The model's troubles: word, unit, value when switched on, bounds. */
const TROUBLES = {
  slow: { title: "Slow", unit: "seconds before each answer", start: 3, most: 60 },
  fail: { title: "Fail", unit: "% of the requests, with a 500", start: 50, most: 100 },
  limit: { title: "Rate-limit", unit: "requests a minute", start: 10, most: 100_000 },
  cut: { title: "Cut streams", unit: "% of them, after ten tokens", start: 100, most: 100 },
} as const;

const PROFILES: [string, string][] = [
  ["", "each model's own"],
  ["groq-llama-3.3-70b", "as a 70B model"],
  ["groq-llama-3.1-8b", "as an 8B model"],
  ["instant", "instant"],
];

const EDGE_WORDS: Record<string, string> = {
  "": "works",
  slow: "slow: half a second more",
  lossy: "lossy: some requests reset",
  narrow: "narrow: 2 kB a second",
  silent: "silent: nothing passes",
  refused: "refused",
};

export class FaultBoard {
  readonly element = h("div", { class: "faults" });
  private readonly word = h("p", { class: "quiet" });
  private readonly board: HTMLElement;
  private readonly profile = select(PROFILES);
  private readonly modelWord = h("p", { class: "quiet", role: "status" });
  private readonly troubles = new Map<string, Trouble>();
  private readonly processes: Table<Process>;
  private readonly edges: Table<Edge>;
  private readonly edgeWord = h("p", { class: "quiet" });
  private choices: string[] = [];
  private drawn = "";

  constructor(private readonly shell: Shell) {
    for (const [name, trouble] of Object.entries(TROUBLES)) this.troubles.set(name, new Trouble(trouble, () => void this.harmModel()));
    this.profile.addEventListener("change", () => void this.act("use_profile", { profile: this.profile.value || null }));
    this.processes = new Table<Process>(
      [
        { title: "Process", cell: (process) => process.name },
        { title: "State", cell: (process) => (process.paused ? "paused" : process.runs ? "runs" : "stopped") },
        { title: "Do", cell: (process) => this.deeds(process) },
      ],
      (process) => process.name,
      "Processes",
    );
    this.edges = new Table<Edge>(
      [
        { title: "Line", cell: (edge) => edge.name },
        { title: "State", cell: (edge) => this.edgeChoice(edge) },
      ],
      (edge) => edge.name,
      "Lines between services",
    );
    this.board = this.layout();
    this.element.append(this.word, this.board);
    shell.onClose(shell.bridge.on("faults", () => void this.load()));
    shell.onClose(whileSeen(this.element, () => this.watch()));
  }

  private layout(): HTMLElement {
    const undo = button("Undo everything", { icon: "again", kind: "primary", onclick: () => void this.undo() });
    const model = h(
      "section",
      { "aria-label": "The model" },
      h("h3", {}, "The model"),
      this.modelWord,
      field("Speed", this.profile),
      ...[...this.troubles.values()].map((trouble) => trouble.element),
      h("p", { class: "quiet" }, "One trouble meets a request at most: failing goes before slowness, slowness before a cut."),
    );
    const processes = h(
      "section",
      { "aria-label": "Processes" },
      h("h3", {}, "Processes"),
      this.processes.element,
      h("p", { class: "quiet" }, "What is killed is started again at once, unless the stack was started with restart=\"never\"."),
    );
    const edges = h("section", { "aria-label": "Lines" }, h("h3", {}, "Lines between services"), this.edgeWord, this.edges.element);
    return h("div", { hidden: true }, undo, h("div", { class: "board" }, model, processes, edges));
  }

  private watch(): () => void {
    void this.load();
    const timer = setInterval(() => void this.load(), EVERY_MS);
    return () => clearInterval(timer);
  }

  private async load(): Promise<void> {
    const faults = await this.shell.attempt<Faults>("faults");
    if (!faults || JSON.stringify(faults) === this.drawn) return;
    this.drawn = JSON.stringify(faults);
    this.board.hidden = !faults.possible;
    this.word.hidden = faults.possible;
    this.word.textContent = faults.why;
    if (faults.possible) this.draw(faults);
  }

  private draw({ model, why, processes, edges, choices }: Faults): void {
    this.choices = choices;
    this.modelWord.textContent = model ? "" : `Only the simulated model can be harmed. ${why}`;
    this.modelWord.hidden = model !== null;
    if (document.activeElement !== this.profile) this.profile.value = model?.profile ?? "";
    this.profile.disabled = model === null;
    for (const [name, trouble] of this.troubles) trouble.show(model?.harm[name] ?? 0, model !== null);
    this.keepFocus(() => this.processes.show(processes));
    this.edgeWord.textContent = edges ? "" : "A stack started with faults=True has proxies between its services, which can harm the lines.";
    this.edgeWord.hidden = edges !== null;
    this.edges.element.hidden = edges === null;
    this.keepFocus(() => this.edges.show(edges ?? []));
  }

  /** A row's buttons are made anew; the one that had the focus has it again. */
  private keepFocus(draw: () => void): void {
    const key = (this.shell.root.activeElement as HTMLElement | null)?.dataset.key;
    draw();
    if (key) this.element.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus();
  }

  private deeds(process: Process): HTMLElement {
    const deed = (words: string, name: string) =>
      button(words, {
        "data-key": `${process.name} ${name === "resume" ? "pause" : name}`,
        "aria-label": `${words} ${process.name}`,
        onclick: () => void this.act("act", { process: process.name, deed: name }),
      });
    if (!process.runs) return h("div", { class: "deeds" }, deed("Start", "start"));
    return h("div", { class: "deeds" }, deed("Kill", "kill"), process.paused ? deed("Resume", "resume") : deed("Pause", "pause"));
  }

  private edgeChoice(edge: Edge): HTMLElement {
    const known = ["", ...this.choices];
    const names = known.includes(edge.fault) ? known : [...known, edge.fault];
    const choice = select(names.map((name) => [name, EDGE_WORDS[name] ?? name]), { "aria-label": `State of ${edge.name}`, "data-key": `edge ${edge.name}` });
    choice.value = edge.fault;
    choice.addEventListener("change", () => void this.act("harm_edge", { edge: edge.name, fault: choice.value }));
    return choice;
  }

  private async harmModel(): Promise<void> {
    const harm = Object.fromEntries([...this.troubles].map(([name, trouble]) => [name, trouble.value]));
    await this.act("harm_model", { harm });
  }

  private async act(method: string, params: object): Promise<void> {
    await this.shell.attempt(method, params);
    this.drawn = "";
    await this.load();
  }

  private async undo(): Promise<void> {
    const left = await this.shell.attempt<string[]>("undo");
    if (left?.length) this.shell.toasts.fault(`Not undone: ${left.join("; ")}`);
    else if (left) this.shell.toasts.say("Everything is undone.");
    this.drawn = "";
    await this.load();
  }
}

/** One switch with its number. */
class Trouble {
  readonly element: HTMLElement;
  private readonly on = h("input", { type: "checkbox" });
  private readonly number: HTMLInputElement;

  constructor(
    private readonly about: { title: string; unit: string; start: number; most: number },
    changed: () => void,
  ) {
    this.number = h("input", { class: "input", type: "number", min: 1, max: about.most, value: about.start, "aria-label": `${about.title}: ${about.unit}` });
    this.on.addEventListener("change", changed);
    this.number.addEventListener("change", () => this.on.checked && changed());
    this.element = h("div", { class: "trouble" }, h("label", {}, this.on, about.title), this.number, h("span", { class: "quiet" }, about.unit));
  }

  get value(): number {
    if (!this.on.checked) return 0;
    const value = Math.min(this.about.most, Math.max(1, Math.round(Number(this.number.value)) || this.about.start));
    this.number.value = String(value);
    return value;
  }

  show(value: number, possible: boolean): void {
    this.on.disabled = this.number.disabled = !possible;
    this.on.checked = value > 0;
    if (value > 0 && !this.number.matches(":focus")) this.number.value = String(value);
  }
}
