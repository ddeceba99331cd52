"""This process's leases: one open connection for each stack that it holds, kept until it lets go or ends.

A forked child closes its copies: a connection that a child holds open would outlive the one who asked for it.
"""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prodigon_lib.stack.channel import Channel

LAB = "PRODIGON_LAB"
"""Set by `prodigon lab` for its kernels: `PID:SECONDS:STARTED`."""


@dataclass
class Leases:
    """By the stack's folder."""

    held: dict[Path, Channel] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, root: Path, channel: Channel) -> None:
        """Keep the stack from now on by this connection; an older one is closed after it."""
        with self.guard:
            older = self.held.pop(root, None)
            self.held[root] = channel
        if older is not None:
            older.close()

    def drop(self, root: Path) -> None:
        with self.guard:
            channel = self.held.pop(root, None)
        if channel is not None:
            channel.close()

    def forget(self) -> None:
        """In a forked child: close our copies, and leave the parent's connections open."""
        self.guard = threading.Lock()  # another thread of the parent may have held it
        while self.held:
            self.held.popitem()[1].close()


LEASES = Leases()
os.register_at_fork(after_in_child=LEASES.forget)


def lab_of_this_kernel() -> dict[str, Any] | None:
    """The lab that this process was started from, when it was: it keeps the stack for a while after us."""
    value = os.environ.get(LAB)
    if not value:
        return None
    pid, seconds, started = value.split(":", 2)
    return {"pid": int(pid), "seconds": float(seconds), "started": started}
