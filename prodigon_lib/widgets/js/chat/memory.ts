// The chat that a reload of the page comes back to. Some pages have no storage.

import type { Shell } from "../shell";

export function recall(shell: Shell): string | null {
  try {
    return sessionStorage.getItem(`prodigon-chat ${shell.id}`);
  } catch {
    return null;
  }
}

export function remember(shell: Shell, session: string | null): void {
  try {
    if (session) sessionStorage.setItem(`prodigon-chat ${shell.id}`, session);
    else sessionStorage.removeItem(`prodigon-chat ${shell.id}`);
  } catch {
    // the newest chat is shown then
  }
}
