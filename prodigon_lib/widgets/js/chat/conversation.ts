// The messages of one chat, newest at the foot, which the view follows until one scrolls up.

import { button } from "../parts/button";
import { h } from "../parts/dom";
import { visible } from "../parts/hidden";
import type { Renderer } from "../rendering/answer";
import { Question, Reply, type Deeds } from "./entry";
import type { Message } from "./wire";

const NEAR_PX = 60;
const READ_OUT_CHARACTERS = 500;

export class Conversation {
  readonly element: HTMLElement;
  private readonly log = h("div", { class: "log", role: "log", "aria-live": "off", "aria-label": "Conversation", tabindex: 0 });
  private readonly content = h("div", { class: "entries" });
  private readonly status = h("div", { class: "for-readers", role: "status" });
  private readonly jump = button("Newest", { icon: "down", class: "jump", onclick: () => this.toEnd(), hidden: true });
  private readonly empty: HTMLElement;
  private readonly growth: ResizeObserver;
  private entries: (Question | Reply)[] = [];
  private following = true;

  constructor(private readonly renderer: Renderer, private readonly deeds: Deeds, welcome: HTMLElement) {
    this.empty = welcome;
    this.log.append(this.empty, this.content);
    this.log.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.element = h("div", { class: "conversation" }, this.log, this.jump, this.status);
    this.growth = new ResizeObserver(() => this.following && this.toEnd());
    this.growth.observe(this.content);
    this.growth.observe(this.log);
  }

  close(): void {
    this.growth.disconnect();
  }

  /** The messages of a chat; a last question without an answer is told apart by what the panel adds. */
  show(messages: Message[]): void {
    this.entries = [];
    this.content.replaceChildren();
    for (const message of messages) {
      if (message.role === "user") this.ask(message.content).id = message.id;
      else if (message.role === "assistant") this.past(message);
    }
    this.mark();
    this.toEnd();
  }

  ask(content: string): Question {
    const question = new Question(content, this.deeds);
    this.add(question);
    return question;
  }

  /** Room for an answer that is to come. */
  expect(): Reply {
    const reply = new Reply(this.renderer, this.deeds);
    this.add(reply);
    this.mark();
    this.toEnd();
    return reply;
  }

  /** Takes an entry and all after it away: what is asked next comes in its place. */
  cut(from: Question | Reply | undefined): void {
    const at = from ? this.entries.indexOf(from) : -1;
    if (at < 0) return;
    for (const entry of this.entries.splice(at)) entry.element.remove();
    this.mark();
  }

  get lastQuestion(): Question | undefined {
    return this.entries.findLast((entry) => entry instanceof Question) as Question | undefined;
  }

  /** For a screen reader: once when an answer begins and once when it ends, and no word between. */
  tell(words: string, source = ""): void {
    const text = visible(source);
    this.status.textContent = text.length > READ_OUT_CHARACTERS ? `${words} It has ${text.split(/\s+/).length} words.` : `${words} ${text}`.trim();
  }

  private past(message: Message): void {
    const reply = new Reply(this.renderer, this.deeds);
    this.add(reply);
    reply.append(message.content);
    reply.finish(message.meta);
  }

  private add(entry: Question | Reply): void {
    this.entries.push(entry);
    this.content.append(entry.element);
  }

  private mark(): void {
    this.entries.forEach((entry, at) => entry instanceof Reply && (entry.last = at === this.entries.length - 1));
    this.empty.hidden = this.entries.length > 0;
  }

  private scrolled(): void {
    this.following = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_PX;
    this.jump.hidden = this.following;
  }

  private toEnd(): void {
    this.following = true;
    this.log.scrollTop = this.log.scrollHeight;
    this.jump.hidden = true;
  }
}
