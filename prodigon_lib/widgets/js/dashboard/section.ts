// One process: how it is, and its figures as small plots.

import { h } from "../parts/dom";
import { percent, seconds, short, span } from "../parts/numbers";
import { Tile } from "./tile";
import type { Figures, Point, Row } from "./wire";

const WORDS: Record<Row["health"], string> = {
  healthy: "healthy",
  starting: "starting",
  unhealthy: "not ready",
  silent: "does not answer",
  stopped: "stopped",
};

type Values = (number | null)[];

export class Section {
  readonly element: HTMLElement;
  private readonly health = h("span", { class: "health" });
  private readonly facts = h("span", { class: "facts" });
  private readonly grid = h("div", { class: "tiles" });
  private readonly tiles = new Map<string, Tile>();

  constructor(private readonly name: string) {
    const head = h("header", {}, h("h3", {}, name), this.health, this.facts);
    this.element = h("section", { class: "process", "aria-label": name }, head, this.grid);
  }

  /** `points` at equal steps, null where nobody looked; the last one is now. */
  show(points: (Point | null)[]): void {
    const rows = points.map((point) => point?.rows.find((row) => row.name === this.name) ?? null);
    const now = rows.at(-1);
    if (!now) return;
    this.health.textContent = WORDS[now.health];
    this.health.dataset.health = now.health;
    this.facts.textContent = facts(now);
    const of = (name: keyof Figures): Values => rows.map((row) => row?.figures?.[name] ?? null);
    if (rows.some((row) => row?.figures)) this.http(of, now);
    if (rows.some((row) => typeof row?.lag === "number")) this.lag(rows);
    if (now.service === "model" || now.service === "monolith") this.model(of);
    if (now.service === "worker" || now.service === "monolith") this.worker(rows, points);
  }

  private http(of: (name: keyof Figures) => Values, now: Row): void {
    this.tile("Requests a second", { format: short, ceiling: 1 }).show(of("requests"), now.in_flight ? `${now.in_flight} in flight` : "");
    const last = now.figures;
    const note = last?.p50 === null || !last ? "" : `p50 ${seconds(last.p50)} · p99 ${seconds(last.p99 ?? 0)}`;
    this.tile("Latency, p95", { format: seconds, ceiling: 0.01 }).show(of("p95"), note, [of("p50"), of("p99")]);
    this.tile("Errors", { format: percent, ceiling: 0.1, alarm: (share) => share >= 0.01 }).show(of("errors"), "answers of 429 and 5xx");
    const spared = of("spared");
    if (spared.some((share) => share !== null)) {
      this.tile("Cache hits", { format: percent, ceiling: 1 }).show(spared, "without a call to the model");
    }
  }

  private lag(rows: (Row | null)[]): void {
    const look = { format: seconds, ceiling: 0.05, alarm: (lag: number) => lag >= 0.25 };
    this.tile("Loop lag", look).show(rows.map((row) => row?.lag ?? null), "the longest of half a minute");
  }

  private model(of: (name: keyof Figures) => Values): void {
    this.tile("Tokens a second", { format: short, ceiling: 10 }).show(of("tokens"));
    this.tile("Failed calls", { format: percent, ceiling: 0.1, alarm: (share) => share >= 0.01 }).show(of("failed"), "of those to the model");
  }

  private worker(rows: (Row | null)[], points: (Point | null)[]): void {
    const queue = points.at(-1)?.queue;
    const waits = queue?.ready ? `the oldest waits ${seconds(queue.oldest ?? 0)}` : "";
    const later = queue?.delayed ? `${queue.delayed} to be tried again` : "";
    this.tile("Queue depth", { format: short, ceiling: 10 }).show(
      points.map((point) => (point?.queue ? point.queue.ready + point.queue.delayed : null)),
      [waits, later].filter(Boolean).join(" · "),
    );
    const held = rows.at(-1)?.held_back ? "held back: the model refuses everybody" : "";
    this.tile("Prompts at work", { format: short, ceiling: 4 }).show(rows.map((row) => row?.running ?? null), held);
  }

  private tile(title: string, look: ConstructorParameters<typeof Tile>[1]): Tile {
    let tile = this.tiles.get(title);
    if (!tile) {
      tile = new Tile(title, look);
      this.tiles.set(title, tile);
      this.grid.append(tile.element);
    }
    return tile;
  }
}

function facts(row: Row): string {
  const up = row.uptime ? `up ${span(row.uptime)}` : "";
  const again = row.restarts ? `started again ${row.restarts} ×` : "";
  return [row.reason, up, again].filter(Boolean).join(" · ");
}
