// The chat: its parts, and what passes between them and the kernel.

import { KernelFault, randomId, type Fault } from "../kernel/bridge";
import { button } from "../parts/button";
import { h } from "../parts/dom";
import { visible } from "../parts/hidden";
import { Renderer } from "../rendering/answer";
import { Markdown } from "../rendering/markdown";
import markdownStyle from "../rendering/markdown.css";
import type { Shell } from "../shell";
import style from "./chat.css";
import { Composer } from "./composer";
import { Conversation } from "./conversation";
import type { Question, Reply } from "./entry";
import { recall, remember } from "./memory";
import { SettingsDrawer } from "./settings";
import { Sidebar } from "./sidebar";
import { isOver, type Opened, type SessionDetail, type Turn } from "./wire";

const EXAMPLES = ["What is back-pressure?", "Show me a retry with jitter in Python", "When does a queue beat a call?"];
const NOT_KEPT = "This question has no answer yet.";

export function chat(shell: Shell): void {
  shell.style(markdownStyle, style);
  new Chat(shell);
}

/** The turn that this view shows as it happens. */
interface Live {
  id: string;
  question: Question;
  reply: Reply;
  length: number;
}

class Chat {
  private readonly renderer: Renderer;
  private readonly sidebar: Sidebar;
  private readonly conversation: Conversation;
  private readonly composer: Composer;
  private readonly settings: SettingsDrawer;
  private readonly title = h("h2", { class: "title" }, "New chat");
  private readonly main: HTMLElement;
  private session: SessionDetail | null = null;
  private newPrompt = "";
  private live: Live | null = null;
  /** Of a question that never reached the gateway. */
  private unsent: string | null = null;
  private opening = 0;

  constructor(private readonly shell: Shell) {
    this.renderer = new Renderer(shell);
    this.sidebar = new Sidebar(shell, (id) => void this.open(id).then(() => this.composer.focus()));
    this.composer = new Composer((content) => void this.ask(content), () => void this.stop());
    const deeds = { again: () => void this.again(), edit: (entry: Question, content: string) => void this.edit(entry, content) };
    this.conversation = new Conversation(this.renderer, deeds, this.welcome());
    this.settings = new SettingsDrawer(shell, {
      systemPrompt: () => this.session?.system_prompt ?? this.newPrompt,
      keepSystemPrompt: (text) => void this.keepSystemPrompt(text),
    });
    this.main = h("div", { class: "main" }, this.head(), this.conversation.element, this.composer.element);
    shell.show("chat", "Chat", h("div", { class: "columns" }, this.sidebar.element, this.main), this.settings.drawer.element);
    shell.root.addEventListener("keydown", (event) => this.key(event as KeyboardEvent));
    this.main.addEventListener("pointerdown", () => this.hideSidebar(), { capture: true });
    shell.onClose(() => this.conversation.close());
    shell.offer("New chat", () => void this.open(null).then(() => this.composer.focus()));
    shell.offer("Chat settings", () => void this.settings.show());
    this.listen();
    void this.start();
  }

  private head(): HTMLElement {
    const chats = button("", { icon: "list", kind: "bare", name: "Chats", class: "chats", onclick: () => this.showSidebar() });
    const settings = button("", { icon: "sliders", kind: "bare", name: "Settings", onclick: () => void this.settings.show() });
    return h("header", { class: "head" }, chats, this.title, settings);
  }

  private welcome(): HTMLElement {
    const examples = EXAMPLES.map((text) => button(text, { onclick: () => void this.ask(text) }));
    return h("div", { class: "welcome" }, h("p", {}, "Ask the model something. What you write here is kept in Postgres."), h("div", { class: "examples" }, ...examples));
  }

  private listen(): void {
    const { bridge } = this.shell;
    this.shell.onClose(bridge.on<Turn>("turn", (turn) => this.turned(turn)));
    this.shell.onClose(
      bridge.on<{ session: string; turn: string; at: number }>("text", ({ turn, at }, text) => this.grown(turn, at, text ?? "")),
    );
    this.shell.onClose(bridge.on<{ session: string }>("deleted", ({ session }) => session === this.session?.id && void this.open(null)));
    // A kernel that was away may have gone on without this view.
    this.shell.onClose(bridge.on("kernel", () => bridge.silent || void this.refresh()));
  }

  private async start(): Promise<void> {
    Markdown.load(this.shell.bridge).then(
      (markdown) => this.renderer.use(markdown),
      (error) => this.shell.toasts.fault(`Answers stay plain text: ${error.message}`),
    );
    const newest = await this.sidebar.load();
    const remembered = recall(this.shell);
    if (this.opening === 0 && !this.live) await this.open(remembered ?? newest?.id ?? null); // else one has chosen
  }

  /** Show a chat, or room for a new one. */
  private async open(id: string | null): Promise<void> {
    const opening = ++this.opening;
    this.hideSidebar();
    if (id === null) {
      this.showNew();
      return;
    }
    const opened = await this.shell.attempt<Opened>("open", { session: id });
    if (opening !== this.opening) return;
    if (opened) this.showOpened(opened);
    else if (!this.session) this.showNew();
  }

  private async refresh(): Promise<void> {
    await this.sidebar.load();
    if (this.session) await this.open(this.session.id);
  }

  private showNew(): void {
    this.session = null;
    this.newPrompt = "";
    this.follow(null);
    this.conversation.show([]);
    this.titled("New chat");
    this.sidebar.select(null);
    remember(this.shell, null);
  }

  private showOpened({ session, turn }: Opened): void {
    this.session = session;
    this.follow(null);
    this.conversation.show(session.messages);
    this.titled(session.title);
    this.sidebar.select(session.id);
    remember(this.shell, session.id);
    const answered = session.messages.at(-1)?.role !== "user";
    if (turn && !isOver(turn)) this.resume(turn);
    else if (turn?.state === "failed" && (!answered || session.messages.length === 0)) this.showFailed(turn);
    else if (!answered) this.conversation.expect().leave(NOT_KEPT);
  }

  /** A turn that goes on, seen from the middle. */
  private resume(turn: Turn & { text: string }): void {
    const known = this.conversation.lastQuestion;
    const question = known && known.content === turn.content ? known : this.conversation.ask(turn.content);
    const reply = this.conversation.expect();
    if (turn.text) reply.append(turn.text);
    this.follow({ id: turn.id, question, reply, length: [...turn.text].length });
  }

  private showFailed(turn: Turn & { text: string }): void {
    if (this.conversation.lastQuestion?.content !== turn.content) this.conversation.ask(turn.content);
    const reply = this.conversation.expect();
    if (turn.text) reply.append(turn.text);
    reply.leave(sentence(turn.fault), turn.fault);
  }

  private async ask(content: string, replace: string | null = null): Promise<void> {
    if (this.live) return;
    const id = this.begin(this.conversation.ask(content));
    const params = { content, turn: id, session: this.session?.id ?? null, replace, system_prompt: this.newPrompt };
    await this.run("ask", params, content);
  }

  private async again(): Promise<void> {
    const question = this.conversation.lastQuestion;
    if (this.live || !question) return;
    if (this.unsent !== null) {
      this.conversation.cut(question);
      await this.ask(this.unsent);
      return;
    }
    const content = question.content;
    this.conversation.cut(question);
    const id = this.begin(this.conversation.ask(content));
    await this.run("again", { session: this.session!.id, turn: id }, null);
  }

  private async edit(entry: Question, content: string): Promise<void> {
    if (this.live) return this.shell.toasts.say("Stop the answer first.");
    const replace = entry.id;
    this.conversation.cut(entry);
    this.composer.focus();
    await this.ask(content, replace);
  }

  private begin(question: Question): string {
    const id = randomId();
    this.unsent = null;
    this.follow({ id, question, reply: this.conversation.expect(), length: 0 });
    this.conversation.tell("The model answers.");
    return id;
  }

  /** The answer to an ask comes at once; the turn itself is told by events. */
  private async run(method: "ask" | "again", params: { turn: string; [name: string]: unknown }, content: string | null): Promise<void> {
    try {
      const { made } = await this.shell.bridge.ask<{ made: SessionDetail | null }>(method, params);
      if (made) this.become(made);
    } catch (error) {
      if (this.live?.id !== params.turn) return;
      const fault = error instanceof KernelFault ? error.fault : { code: "", message: String(error), retryable: false, request_id: null };
      this.unsent = this.session ? null : content;
      this.live.reply.leave(sentence(fault), fault);
      this.follow(null);
    }
  }

  private become(made: SessionDetail): void {
    this.session = { ...made, messages: [] };
    this.titled(made.title);
    this.sidebar.select(made.id);
    remember(this.shell, made.id);
  }

  private async stop(): Promise<void> {
    if (this.live && this.session) await this.shell.attempt("stop", { session: this.session.id });
  }

  private turned(turn: Turn): void {
    const { live } = this;
    if (live?.id !== turn.id) {
      // Of another view of this panel, which asked in the chat that is shown here.
      if (turn.session === this.session?.id && !live) void this.open(turn.session);
      return;
    }
    if (turn.question_id) live.question.id = turn.question_id;
    if (!isOver(turn)) return;
    if (live.length !== turn.length) return void this.open(turn.session);
    this.follow(null);
    if (turn.state === "failed") live.reply.leave(sentence(turn.fault), turn.fault);
    else if (turn.length === 0) live.reply.leave("Stopped before the first token.");
    else live.reply.finish(turn.meta);
    this.conversation.tell(turn.state === "failed" ? sentence(turn.fault) : "The answer is complete.", turn.state === "failed" ? "" : live.reply.answer.text);
  }

  private grown(turn: string, at: number, text: string): void {
    const { live } = this;
    if (live?.id !== turn) return;
    if (at > live.length) return void this.open(this.session?.id ?? null); // something was missed
    const more = [...text].slice(live.length - at); // the kernel counts characters, not halves of them
    if (more.length === 0) return;
    live.length += more.length;
    live.reply.append(more.join(""));
  }

  private follow(live: Live | null): void {
    this.live = live;
    this.composer.setRunning(live !== null);
  }

  private async keepSystemPrompt(text: string): Promise<void> {
    if (!this.session) {
      this.newPrompt = text;
      return;
    }
    this.session.system_prompt = text || null;
    await this.shell.attempt("change", { session: this.session.id, system_prompt: text || null });
  }

  private titled(title: string): void {
    this.title.textContent = visible(title);
    this.title.title = visible(title);
  }

  private showSidebar(): void {
    this.main.parentElement!.classList.add("with-sidebar");
    this.sidebar.element.querySelector<HTMLElement>("button")?.focus();
  }

  /** On a narrow panel, where it lies over the conversation; gives whether it was there. */
  private hideSidebar(): boolean {
    const columns = this.main.parentElement!;
    const shown = columns.classList.contains("with-sidebar");
    columns.classList.remove("with-sidebar");
    return shown;
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape" && !this.hideSidebar()) void this.stop();
  }
}

function sentence(fault: Fault | null): string {
  return fault ? `It failed: ${fault.message}` : "It failed.";
}
