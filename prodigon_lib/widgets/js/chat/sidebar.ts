// The chats: search, open, rename, delete.

import { button } from "../parts/button";
import { h, replace } from "../parts/dom";
import type { Shell } from "../shell";
import type { Session } from "./wire";

const TYPING_MS = 250;

interface Page {
  items: Session[];
  next: string | null;
}

export class Sidebar {
  readonly element: HTMLElement;
  private readonly list = h("ul", { class: "sessions", "aria-label": "Chats" });
  private readonly more = button("Show more", { kind: "bare", onclick: () => void this.load(true) });
  private readonly search = h("input", { class: "input", type: "search", placeholder: "Search chats", "aria-label": "Search chats" });
  private shown: Session[] = [];
  private next: string | null = null;
  private current: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;
  private failed = false;

  constructor(
    private readonly shell: Shell,
    private readonly open: (session: string | null) => void,
  ) {
    this.search.addEventListener("input", () => this.soon());
    const fresh = button("New chat", { icon: "plus", onclick: () => this.open(null) });
    this.element = h("nav", { class: "sidebar", "aria-label": "Chats" }, h("div", { class: "sidebar-head" }, fresh, this.search), this.list, this.more);
    shell.onClose(shell.bridge.on("sessions", () => this.soon()));
    shell.onClose(() => clearTimeout(this.timer));
  }

  /** Gives the newest chat that is shown. */
  async load(further = false): Promise<Session | undefined> {
    const asked = ++this.asked;
    const page = await this.shell.attempt<Page>("sessions", { q: this.search.value.trim(), cursor: further ? this.next : null });
    if (asked !== this.asked) return this.shown[0];
    this.failed = !page;
    if (!page) {
      this.draw();
      return this.shown[0];
    }
    this.shown = further ? [...this.shown, ...page.items] : page.items;
    this.next = page.next;
    this.draw();
    return this.shown[0];
  }

  select(session: string | null): void {
    this.current = session;
    this.draw();
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), TYPING_MS);
  }

  private draw(): void {
    const renaming = this.list.querySelector("input");
    if (renaming) return; // what is being typed stays; a rename draws again
    const focused = (this.shell.root.activeElement as HTMLElement | null)?.dataset.key;
    const none = this.failed ? "The chats can't be shown." : this.search.value ? "No chat has that." : "No chats yet.";
    replace(this.list, ...this.shown.map((session) => this.row(session)), this.shown.length === 0 && h("li", { class: "none" }, none));
    this.more.hidden = this.next === null;
    if (focused) this.list.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
  }

  private row(session: Session): HTMLElement {
    const current = session.id === this.current;
    const open = h(
      "button",
      { type: "button", class: "open", "data-key": `open-${session.id}`, "aria-current": current && "true", onclick: () => this.open(session.id) },
      session.title || "Untitled",
    );
    const rename = button("", { icon: "pencil", kind: "bare", name: `Rename ${session.title}`, "data-key": `rename-${session.id}`, onclick: () => this.rename(row, session) });
    const remove = button("", { icon: "trash", kind: "bare", name: `Delete ${session.title}`, "data-key": `delete-${session.id}`, onclick: () => this.askDelete(row, session) });
    const row = h("li", { class: current ? "current" : "" }, open, h("div", { class: "row-actions" }, rename, remove));
    return row;
  }

  private rename(row: HTMLElement, session: Session): void {
    const input = h("input", { class: "input", maxlength: 200, "aria-label": "New name" });
    input.value = session.title;
    const end = async (keep: boolean) => {
      if (!input.isConnected) return;
      const title = input.value.trim();
      input.remove();
      if (keep && title && title !== session.title) {
        session.title = title;
        await this.shell.attempt("change", { session: session.id, title });
      }
      this.draw();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.stopPropagation();
      void end(event.key === "Enter").then(() => this.focusOn(`rename-${session.id}`));
    });
    input.addEventListener("blur", () => void end(true));
    replace(row, input);
    input.select();
  }

  private askDelete(row: HTMLElement, session: Session): void {
    const back = () => {
      this.draw();
      this.focusOn(`delete-${session.id}`);
    };
    const sure = button("Delete", { kind: "primary", onclick: () => void this.delete(session) });
    const words = h("span", { class: "sure" }, `Delete “${session.title}”?`);
    const box = h("div", { class: "row-confirm", role: "group", "aria-label": `Delete ${session.title}?` }, words, sure, button("Keep", { onclick: back }));
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      back();
    });
    replace(row, box);
    sure.focus();
  }

  private async delete(session: Session): Promise<void> {
    await this.shell.attempt("delete", { session: session.id });
    await this.load();
    this.list.querySelector<HTMLElement>(".open")?.focus();
  }

  private focusOn(key: string): void {
    this.list.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus();
  }
}
