// The dashboard: a section for each process, and under them the logs and the faults.

import type { Fault } from "../kernel/bridge";
import { h } from "../parts/dom";
import { whileSeen } from "../parts/seen";
import { Tabs } from "../parts/tabs";
import type { Shell } from "../shell";
import style from "./dashboard.css";
import { FaultBoard } from "./faults";
import { Logs } from "./logs";
import { Section } from "./section";
import type { Point } from "./wire";

const KEPT = 150;

/** Places that a plot has at least: a minute. */
const LEAST = 30;

export function dashboard(shell: Shell): void {
  shell.style(style);
  new Dashboard(shell);
}

class Dashboard {
  private readonly sections = new Map<string, Section>();
  private readonly grid = h("div", { class: "processes" }, h("p", { class: "quiet" }, "Looking …"));
  private points: Point[] = [];
  private every = 2;

  constructor(private readonly shell: Shell) {
    const logs = new Logs(shell);
    const faults = new FaultBoard(shell);
    const tabs = new Tabs([{ title: "Logs", content: logs.element }, { title: "Faults", content: faults.element }], "More of the system");
    ["Logs", "Faults"].forEach((title, place) => shell.offer(title, () => tabs.choose(place)));
    shell.show("dashboard", "Dashboard", this.grid, tabs.element);
    shell.onClose(whileSeen(this.grid, () => this.watch()));
  }

  private watch(): () => void {
    return this.shell.bridge.follow<{ history?: Point[]; every?: number; point?: Point }>(
      "figures",
      {},
      ({ history, every, point }) => {
        if (history) this.points = history;
        if (every) this.every = every;
        if (point) this.points.push(point);
        this.points.splice(0, this.points.length - KEPT);
        this.draw();
      },
      (fault: Fault | null) => fault && this.shell.toasts.fault(fault.message),
    );
  }

  private draw(): void {
    const now = this.points.at(-1);
    if (!now) return;
    this.grid.querySelector(".quiet")?.remove();
    const spaced = evenly(this.points, this.every);
    for (const [name, section] of this.sections) {
      if (!now.rows.some((row) => row.name === name)) {
        section.element.remove();
        this.sections.delete(name);
      }
    }
    for (const row of now.rows) this.section(row.name).show(spaced);
  }

  private section(name: string): Section {
    let section = this.sections.get(name);
    if (!section) {
      section = new Section(name);
      this.sections.set(name, section);
      this.grid.append(section.element);
    }
    return section;
  }
}

/** A place for each step of the last minutes up to the newest point; null where nobody looked. */
function evenly(points: Point[], every: number): (Point | null)[] {
  const places: (Point | null)[] = [];
  for (const point of points) {
    const before = places.at(-1);
    const missed = before ? Math.round((point.at - before.at) / every - 1.5) : 0;
    for (let count = 0; count < Math.min(missed, KEPT); count++) places.push(null);
    places.push(point);
  }
  const kept = places.slice(-KEPT);
  return [...new Array(Math.max(0, LEAST - kept.length)).fill(null), ...kept];
}
