// The browser's end of a panel. One for each view; `wire.py` lists the messages.

export interface Model {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, listener: (...args: any[]) => void): void;
  off(event: string, listener: (...args: any[]) => void): void;
}

export interface Fault {
  code: string;
  message: string;
  retryable: boolean;
  request_id: string | null;
}

const SHUT = ["UNAUTHENTICATED", "TOKEN_EXPIRED"];

export class KernelFault extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
  }

  /** The gateway does not know, or not any more, who looks at the panel. */
  get shut(): boolean {
    return SHUT.includes(this.fault.code);
  }

  /** Asked again, it would say the same. */
  get refused(): boolean {
    return this.shut || this.fault.code === "FORBIDDEN";
  }
}

interface Attached<Value> {
  value: Value;
  buffers: DataView[];
}

interface Arrived {
  message: any;
  buffers: DataView[];
}

interface Ask {
  answer(value: any, buffers: DataView[]): void;
  fail(fault: Fault): void;
  item?(value: any): void;
  again?(): void;
}

const BEAT_MS = 5_000;
/** At rest. A page in the background is slower: its timers run once a minute. */
const REST_MS = 20_000;
const PATIENCE_MS = 8_000;

export class Bridge {
  readonly view = randomId();
  /** Nothing came from the kernel for a while, though it was asked. */
  silent = false;
  private asks = new Map<string, Ask>();
  private listeners = new Map<string, Set<(value: any, text?: string) => void>>();
  private arrived: Arrived[] = [];
  private readonly pause = new MessageChannel();
  private pausing = false;
  private count = 0;
  private saidAlive = Date.now();
  private waitingSince: number | null = null;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(private readonly model: Model) {
    model.on("msg:custom", this.receive);
    this.pause.port1.onmessage = () => {
      this.pausing = false;
      this.dealWithArrived();
    };
    this.post({ kind: "hello", view: this.view });
    this.timer = setInterval(this.beat, BEAT_MS);
  }

  /** One question, one answer. Rejects with a KernelFault. */
  async ask<Value>(method: string, params: object = {}): Promise<Value> {
    return (await this.askAttached<Value>(method, params)).value;
  }

  /** The same, with the bytes that came beside the answer. */
  askAttached<Value>(method: string, params: object = {}): Promise<Attached<Value>> {
    return new Promise((resolve, reject) => {
      this.begin(method, params, {
        answer: (value, buffers) => resolve({ value, buffers }),
        fail: (fault) => reject(new KernelFault(fault)),
      });
    });
  }

  /** Items as they come, until the returned function is called. Asks again when the kernel has forgotten. */
  follow<Item>(
    method: string,
    params: object,
    item: (value: Item) => void,
    ended: (fault: Fault | null) => void = () => {},
  ): () => void {
    let id = "";
    const start = () => {
      id = this.begin(method, params, {
        item,
        answer: () => ended(null),
        fail: (fault) => ended(fault),
        again: start,
      });
    };
    start();
    return () => {
      if (this.asks.delete(id)) this.post({ kind: "cancel", id });
    };
  }

  /** Hear an event of the kernel's; the returned function ends it. `text` is what came of a text in one beat. */
  on<Value>(name: string, listener: (value: Value, text?: string) => void): () => void {
    const all = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, all.add(listener));
    return () => all.delete(listener);
  }

  close(): void {
    clearInterval(this.timer);
    this.post({ kind: "bye", view: this.view });
    this.model.off("msg:custom", this.receive);
    this.pause.port1.close();
    this.arrived = [];
    this.asks.clear();
    this.listeners.clear();
  }

  private begin(method: string, params: object, ask: Ask): string {
    const id = `${this.view}:${++this.count}`;
    this.asks.set(id, ask);
    this.post({ kind: "ask", id, view: this.view, method, params });
    this.waitingSince ??= Date.now();
    return id;
  }

  private post(message: object): void {
    try {
      this.model.send(message);
    } catch (error) {
      console.warn("the kernel can't be reached", error);
    }
  }

  private receive = (content: any, buffers: DataView[] = []) => {
    if (!Array.isArray(content?.batch)) return;
    this.waitingSince = null;
    this.setSilent(false);
    let used = 0;
    for (const message of content.batch) {
      const own = buffers.slice(used, (used += message.buffers ?? 0));
      this.arrived.push({ message, buffers: own });
    }
    this.dealWithArrived();
  };

  /** In the kernel's order. Who awaits an answer goes on some microtasks later, and must have done so before
   * what came after the answer is told: else the answer would undo the news. */
  private dealWithArrived(): void {
    while (!this.pausing && this.arrived.length > 0) {
      const { message, buffers } = this.arrived.shift()!;
      this.pausing = ["answer", "end", "fault"].includes(message.kind);
      if (this.pausing) this.pause.port2.postMessage(null);
      try {
        this.take(message, buffers);
      } catch (error) {
        reportError(error);
      }
    }
  }

  private take(message: any, buffers: DataView[]): void {
    const ask = this.asks.get(message.id);
    switch (message.kind) {
      case "answer":
      case "end":
        this.asks.delete(message.id);
        ask?.answer(message.value, buffers);
        break;
      case "item":
        ask?.item?.(message.value);
        break;
      case "fault":
        this.asks.delete(message.id);
        ask?.fail(message.fault);
        break;
      case "event":
        this.emit(message.name, message.value, message.text);
        break;
      case "alive":
        for (const id of message.unknown) this.askAgain(id);
    }
  }

  private askAgain(id: string): void {
    const again = this.asks.get(id)?.again;
    if (again && this.asks.delete(id)) again();
  }

  private beat = () => {
    const now = Date.now();
    if (this.waitingSince !== null && now - this.waitingSince > PATIENCE_MS) this.setSilent(true);
    if (this.asks.size === 0 && !this.silent && now - this.saidAlive < REST_MS) return;
    this.saidAlive = now;
    const streams = [...this.asks].filter(([, ask]) => ask.again).map(([id]) => id);
    this.post({ kind: "alive", views: [this.view], asks: streams });
    this.waitingSince ??= now;
  };

  private setSilent(silent: boolean): void {
    if (silent === this.silent) return;
    this.silent = silent;
    this.emit("kernel", { silent });
  }

  private emit(name: string, value: unknown, text?: string): void {
    for (const listener of [...(this.listeners.get(name) ?? [])]) listener(value, text);
  }
}

/** `crypto.randomUUID` is there on secure pages only; a Jupyter on another machine is often none. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
