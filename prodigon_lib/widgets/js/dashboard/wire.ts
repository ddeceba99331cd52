// What the dashboard and its kernel tell each other; Python's names.

export interface Figures {
  requests: number;
  errors: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  tokens: number;
  failed: number | null;
  spared: number | null;
}

export type Health = "starting" | "healthy" | "unhealthy" | "silent" | "stopped";

export interface Row {
  name: string;
  service: string;
  health: Health;
  reason: string;
  restarts: number;
  uptime: number | null;
  figures: Figures | null;
  in_flight?: number | null;
  lag?: number | null;
  running?: number | null;
  held_back?: boolean;
}

export interface Point {
  at: number;
  rows: Row[];
  queue: { ready: number; delayed: number; running: number; oldest?: number } | null;
}

export interface LogRecord {
  time: string;
  level: string;
  process: string;
  event: string;
  more: string;
  exception: string;
  request_id: string | null;
}

export interface Faults {
  possible: boolean;
  why: string;
  choices: string[];
  model: { profile: string | null; harm: Record<string, number> } | null;
  processes: { name: string; runs: boolean; paused: boolean }[];
  edges: { name: string; fault: string }[] | null;
}
