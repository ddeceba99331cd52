"""Which edges a stack has, and the address of each."""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import ports

ARROWS = ("→", "->")

Address = tuple[str, int] | str
"""Host and port, or the path of a Unix socket."""


@dataclass(frozen=True, slots=True)
class Edge:
    """From one process to another: who listens for the one in the place of the other."""

    source: str
    target: str
    listen: Address
    connect: Address

    @property
    def name(self) -> str:
        return f"{self.source}→{self.target}"

    def wire(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "target": self.target,
            "listen": self.listen,
            "connect": self.connect,
        }

    @classmethod
    def from_wire(cls, document: Mapping[str, Any]) -> Self:
        places = {name: address_from(document[name]) for name in ("listen", "connect")}
        return cls(document["source"], document["target"], **places)


def address_from(value: Any) -> Address:
    return value if isinstance(value, str) else (str(value[0]), int(value[1]))


@dataclass
class EdgePlan:
    """The edges of a stack that is about to start; it listens already, so that nobody else takes the ports.

    Args:
        folder: of the Unix sockets; only we may walk into it.
    """

    folder: Path
    edges: list[Edge] = field(default_factory=list)
    listeners: list[socket.socket] = field(default_factory=list)

    def port(self, source: str, target: str, number: int) -> int:
        """The port of loopback where `source` finds `target`, which listens on the port `number`."""
        listen = self.add(source, target, (ports.HOST, number))
        return int(listen[1])

    def add(self, source: str, target: str, connect: Address, *, name: str = "") -> Address:
        """Where `source` finds `target`, which is at `connect`.

        Args:
            name: of the socket, where that is a Unix socket; its folder is the source's own.
        """
        if isinstance(connect, str):
            listen: Address = str(self.folder / source / name)
        else:
            self.listeners.append(ports.listen_where_free(0))
            listen = (ports.HOST, self.listeners[-1].getsockname()[1])
        self.edges.append(Edge(source, target, listen, connect))
        return listen

    def close(self) -> None:
        while self.listeners:
            self.listeners.pop().close()


def split_name(name: str) -> tuple[str, str]:
    """The two ends in `gateway→model`, or `gateway->model`. Raises StackError."""
    for arrow in ARROWS:
        source, found, target = name.partition(arrow)
        if found:
            return source.strip(), target.strip()
    raise StackError(f"an edge is named like 'gateway→model' or 'gateway->model', not {name!r}")


def matching(edges: Iterable[tuple[str, str]], source: str, target: str) -> list[tuple[str, str]]:
    """The edges between two; a service's name means all its replicas.

    Raises:
        StackError: there is none; the message names those that there are.
    """
    known = list(edges)
    found = [edge for edge in known if means(source, edge[0]) and means(target, edge[1])]
    if not found:
        services = dict.fromkeys(f"{service_of(a)}→{service_of(b)}" for a, b in known)
        raise StackError(f"there is no edge {source}→{target}; there are {', '.join(services)}")
    return found


def means(wanted: str, process: str) -> bool:
    return process == wanted or service_of(process) == wanted


def service_of(process: str) -> str:
    return process.split("-")[0]
