// The line under an answer: what it took.

import type { Meta } from "./wire";

export function statsLine(meta: Meta | null): string {
  if (!meta) return "";
  const tokens = meta.usage?.completion_tokens ?? meta.tokens;
  const parts = [
    meta.stopped ? "stopped" : null,
    tokens === undefined ? null : `${tokens.toLocaleString("en")} ${tokens === 1 ? "token" : "tokens"}`,
    meta.first_token_ms === undefined ? null : `first token after ${seconds(meta.first_token_ms)}`,
    rate(meta, tokens),
    meta.model ?? null,
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Of the time between the first token and the last: the wait for the first is told apart. */
function rate({ first_token_ms: first, duration_ms: whole }: Meta, tokens: number | undefined): string | null {
  if (first === undefined || whole === undefined || tokens === undefined || tokens < 2 || whole <= first) return null;
  return `${Math.round(((tokens - 1) / (whole - first)) * 1000).toLocaleString("en")} tokens/s`;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
