"""Faults between services, as a lesson sets them: `stack.faults`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from prodigon_lib.stack.edges.faults import EdgeFaults
from prodigon_lib.stack.edges.plan import matching, service_of, split_name

Pair = tuple[str, str]
Ask = Callable[..., dict[str, Any]]
"""Sends a request to the supervisor; gives the proxy's answer."""


@dataclass(frozen=True, slots=True)
class EdgeTraffic:
    """Connections through an edge: how many are open, and since the start were accepted, dropped, cut."""

    open: int
    accepted: int
    dropped: int
    cut: int


class EdgeControl:
    """One edge, of all the replicas at both its ends or of those that were named.

        stack.faults["gateway→model"].set(latency=0.2, jitter=0.1)
        with stack.faults["worker→postgres"].set(black_hole=True):
            ...
        stack.faults["worker-2→postgres"].cut()

    Every call raises StackError when the stack does not run any more, or the proxy does not answer.
    """

    def __init__(self, ask: Ask, name: str, pairs: Sequence[Pair]) -> None:
        self.name = name
        self._ask, self._pairs = ask, list(pairs)

    def set(self, **faults: Any) -> Self:
        """Set what is named, and leave the rest as it is; it holds at once, for open connections too.

        Args:
            latency: seconds added to a round trip, half of them on each way.
            jitter: up to so many seconds more on a round trip.
            drop: the share of requests, 0 to 1, on which the connection is reset.
            refuse: nobody listens; those that are open are reset.
            cut_after: bytes of answers after which a connection is reset; 0 resets each at once.
            black_hole: connections are taken, and nothing passes.
            bandwidth: bytes a second, on each way of each connection.
            seed: of `jitter` and `drop`: the same seed and the same requests, the same faults.

        Raises:
            StackError: there is no such fault, or a value is out of range.
        """
        EdgeFaults().changed(faults)
        self._ask(do="set", edges=self._pairs, changes=faults)
        return self

    def clear(self) -> None:
        """Do no harm any more. What a black hole held back passes now."""
        self._ask(do="clear", edges=self._pairs)

    def cut(self) -> int:
        """Reset the connections that are open now, and no later one; gives how many."""
        return int(self._ask(do="cut", edges=self._pairs)["cut"])

    def get(self) -> dict[str, Any]:
        """The faults that are set; none of them, and it is empty."""
        found: dict[str, Any] = self._look()[0]["faults"]
        return found

    @property
    def traffic(self) -> EdgeTraffic:
        """Counted by the proxy, over all the replicas meant."""
        rows = self._look()
        counts = {name: sum(row[name] for row in rows) for name in EdgeTraffic.__slots__}
        return EdgeTraffic(**counts)

    def _look(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._ask(do="look", edges=self._pairs)["edges"]
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def __repr__(self) -> str:
        harm = ", ".join(f"{name}={value!r}" for name, value in self.get().items())
        return f"{self.name}: {harm or 'no faults'}"


class Faults:
    """The edges of a stack by name, such as `"gateway→model"` (or `"gateway->model"`).

    A service's name means all its replicas; `"gateway→model-2"` is one of them. A proxy takes a connection
    before it knows whether the service is there: when a service dies, the next caller sees a reset, and those
    after it are refused, as without the proxy.
    """

    def __init__(self, ask: Ask, pairs: Sequence[Pair]) -> None:
        self._ask, self._pairs = ask, [(source, target) for source, target in pairs]

    def edge(self, source: str, target: str) -> EdgeControl:
        """Raises StackError when there is no such edge."""
        return EdgeControl(self._ask, f"{source}→{target}", matching(self._pairs, source, target))

    def clear(self) -> None:
        """Do no harm on any edge."""
        self._ask(do="clear", edges=self._pairs)

    def __getitem__(self, name: str) -> EdgeControl:
        return self.edge(*split_name(name))

    def __iter__(self) -> Iterator[EdgeControl]:
        """Each edge once, with all its replicas."""
        for source, target in dict.fromkeys((service_of(a), service_of(b)) for a, b in self._pairs):
            yield self.edge(source, target)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))
