// What the kernel's half says: see chat/desk.py and chat/turn.py.

import type { Fault } from "../kernel/bridge";

export interface Session {
  id: string;
  title: string;
  system_prompt: string | null;
  updated_at: string;
  message_count: number;
}

export interface Meta {
  model?: string | null;
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number } | null;
  first_token_ms?: number;
  duration_ms?: number;
  stopped?: boolean;
  tokens?: number;
}

export interface Message {
  id: string;
  role: "user" | "assistant" | "system";
  content: string;
  meta: Meta | null;
}

export interface SessionDetail extends Session {
  messages: Message[];
}

export interface Turn {
  id: string;
  session: string;
  content: string;
  state: "waiting" | "streaming" | "done" | "stopped" | "failed";
  question_id: string | null;
  answer_id: string | null;
  request_id: string | null;
  fault: Fault | null;
  length: number;
  meta: Meta;
}

export interface Opened {
  session: SessionDetail;
  turn: (Turn & { text: string }) | null;
}

export interface Options {
  model?: string | null;
  temperature: number;
  max_tokens: number;
}

export const isOver = (turn: Turn): boolean => turn.state !== "waiting" && turn.state !== "streaming";
