// A trace as the kernel tells it; Python's names. Times are in milliseconds since its beginning.

export interface Request {
  request_id: string;
  time: string;
  what: string;
  status: number | string;
  ms: number;
}

export interface Line {
  at: number;
  level: string;
  event: string;
  more: string;
}

export interface SpanRow {
  id: string;
  depth: number;
  service: string;
  name: string;
  start: number;
  ms: number;
  self: number;
  failed: boolean;
  attributes: Record<string, string>;
  logs: Line[];
}

export interface Trace {
  request_id: string;
  total: number;
  rows: SpanRow[];
}
