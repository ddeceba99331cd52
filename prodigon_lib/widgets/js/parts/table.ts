// A table that keeps its rows: an update changes the cells that differ, so that nothing flickers.

import { h, replace, type Child } from "./dom";

export interface Column<Row> {
  title: string;
  cell: (row: Row) => Child;
  number?: boolean;
}

export class Table<Row> {
  readonly element: HTMLElement;
  private readonly body = h("tbody");
  private readonly rows = new Map<string, { element: HTMLTableRowElement; said: string[] }>();

  constructor(
    private readonly columns: Column<Row>[],
    private readonly key: (row: Row) => string,
    label: string,
    private readonly decorate: (element: HTMLTableRowElement, row: Row) => void = () => {},
  ) {
    const heads = columns.map((column) => h("th", { scope: "col", class: column.number && "number" }, column.title));
    const table = h("table", { class: "grid", "aria-label": label }, h("thead", {}, h("tr", {}, ...heads)), this.body);
    this.element = h("div", { class: "grid-scroller", tabindex: 0, role: "region", "aria-label": label }, table);
  }

  show(rows: Row[]): void {
    const keys = rows.map(this.key);
    for (const [key, { element }] of this.rows) {
      if (!keys.includes(key)) {
        element.remove();
        this.rows.delete(key);
      }
    }
    rows.forEach((row, place) => {
      const kept = this.rows.get(keys[place]!) ?? this.add(keys[place]!);
      this.fill(kept, row);
      if (this.body.children[place] !== kept.element) this.body.insertBefore(kept.element, this.body.children[place] ?? null);
    });
  }

  private add(key: string): { element: HTMLTableRowElement; said: string[] } {
    const cells = this.columns.map((column) => h("td", { class: column.number && "number" }));
    const kept = { element: h("tr", {}, ...cells), said: [] as string[] };
    this.rows.set(key, kept);
    return kept;
  }

  /** Cells of text are compared; one that holds elements is made anew. */
  private fill(kept: { element: HTMLTableRowElement; said: string[] }, row: Row): void {
    this.columns.forEach((column, place) => {
      const child = column.cell(row);
      const said = child instanceof Node ? "" : String(child ?? "");
      if (said && kept.said[place] === said) return;
      kept.said[place] = said;
      replace(kept.element.cells[place]!, child);
    });
    this.decorate(kept.element, row);
  }
}
