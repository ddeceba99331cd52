"""Who holds a stack. A lease is an open connection: it ends with its process, and survives a sleep."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prodigon_lib.stack.process import is_running, start_time


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that asked for the stack; `started` is empty when the system does not tell."""

    pid: int
    started: str

    @classmethod
    def from_wire(cls, document: Mapping[str, Any]) -> "Holder":
        """The supervisor trusts what it can see for itself: a pid of another container is none here."""
        pid, started = int(document["pid"]), str(document["started"])
        return cls(pid, started if is_running(pid, started) else "")

    def is_gone(self) -> bool:
        """Whether its process ended while a child that it forked keeps the connection open."""
        return bool(self.started) and not is_running(self.pid, self.started)


@dataclass(frozen=True, slots=True)
class Lab:
    """A JupyterLab that keeps the stacks of its kernels for `seconds` after the last of them let go."""

    process: Holder
    seconds: float


@dataclass
class Holders:
    """The leases of one stack.

    Args:
        grace: seconds without a lease until the stack ends: time for a script to follow another.
    """

    grace: float
    leases: dict[object, Holder] = field(default_factory=dict)
    labs: dict[Holder, Lab] = field(default_factory=dict)
    _idle_since: float = field(default_factory=lambda: time.monotonic())

    def add(self, connection: object, holder: Holder, lab: Lab | None) -> None:
        self.leases[connection] = holder
        if lab is not None:
            self.labs[lab.process] = lab

    def remove(self, connection: object) -> None:
        if self.leases.pop(connection, None) is not None and not self.leases:
            self._idle_since = time.monotonic()

    def drop_the_dead(self) -> None:
        """End the leases of processes that are gone while their connection is not."""
        for connection in [key for key, holder in self.leases.items() if holder.is_gone()]:
            self.remove(connection)

    def others(self, pid: int) -> list[int]:
        """The other processes that hold the stack."""
        return sorted({holder.pid for holder in self.leases.values()} - {pid})

    def all_gone(self) -> bool:
        """Whether nobody holds the stack any more, and no lab keeps it for a kernel that may come back."""
        if self.leases:
            return False
        kept = max((lab.seconds for lab in self.living_labs()), default=0.0)
        return time.monotonic() - self._idle_since > max(self.grace, kept)

    def living_labs(self) -> list[Lab]:
        return [lab for lab in self.labs.values() if not lab.process.is_gone()]


def myself(pid: int) -> dict[str, Any]:
    """A holder as it goes over the wire."""
    return {"pid": pid, "started": start_time(pid) or ""}
