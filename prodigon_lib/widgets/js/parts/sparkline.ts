// A small line over the last minutes, with its newest value in words for who can't see it.

import { svg } from "./dom";

const WIDTH = 100;
const HEIGHT = 40;

export class Sparkline {
  readonly element: SVGElement;
  private readonly line = svg("path", { class: "line" });
  private readonly area = svg("path", { class: "area" });
  private readonly others = svg("path", { class: "line others" });

  constructor(private readonly label: string, private readonly format: (value: number) => string = String) {
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", class: "sparkline" };
    this.element = svg("svg", box, this.area, this.others, this.line);
  }

  /**
   * Values at equal steps, oldest first; null leaves a gap. `ceiling` is the least top of the scale. `others` are
   * more lines on the same scale, drawn fainter and without words.
   */
  show(values: (number | null)[], ceiling = 0, others: (number | null)[][] = []): void {
    const top = Math.max(ceiling, ...[values, ...others].flat().map((value) => value ?? 0)) || 1;
    const runs = pathsOf(values, top);
    this.line.setAttribute("d", runs.map((run) => `M${run.join("L")}`).join(""));
    this.others.setAttribute("d", others.flatMap((each) => pathsOf(each, top)).map((run) => `M${run.join("L")}`).join(""));
    this.area.setAttribute("d", runs.map((run) => `M${run[0]!.split(" ")[0]} ${HEIGHT}L${run.join("L")}L${run.at(-1)!.split(" ")[0]} ${HEIGHT}Z`).join(""));
    const newest = values.at(-1);
    this.element.setAttribute("aria-label", `${this.label}: ${newest === null || newest === undefined ? "no value" : this.format(newest)}`);
  }
}

/** The places of each unbroken run of values, as a path has them. */
function pathsOf(values: (number | null)[], top: number): string[][] {
  const step = WIDTH / Math.max(1, values.length - 1);
  const place = ([at, value]: [number, number]) => `${(at * step).toFixed(2)} ${(HEIGHT - (value / top) * (HEIGHT - 2) - 1).toFixed(2)}`;
  return runsOf(values).map((run) => run.map(place));
}

function runsOf(values: (number | null)[]): [number, number][][] {
  const runs: [number, number][][] = [[]];
  values.forEach((value, place) => {
    if (value === null) runs.push([]);
    else runs.at(-1)!.push([place, value]);
  });
  return runs.filter((run) => run.length > 0);
}
