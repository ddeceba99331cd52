"""Where each process of a stack finds those that it calls."""

from collections.abc import Mapping
from dataclasses import dataclass

from prodigon_lib.stack import ports
from prodigon_lib.stack.edges.plan import EdgePlan, service_of
from prodigon_lib.stack.environment import MONOLITH

NGINX = "nginx"

CALLS = {"gateway": ("model", "worker", "postgres", "redis"), "model": ()}
CALLS |= {"worker": ("model", "postgres", "redis"), MONOLITH: ("postgres", "redis")}
CALLS |= {NGINX: ("model", "gateway")}
"""What each one calls: the edges that a proxy can stand on."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """The ports of one stack.

    Args:
        numbers, over_grpc: of each process, by its name.
        balanced: nginx's own, by the service that it stands before.
        edges: with faults, where each line between two is given a proxy.
    """

    numbers: Mapping[str, int]
    over_grpc: Mapping[str, int]
    balanced: Mapping[str, int]
    edges: EdgePlan | None

    def addresses(self, caller: str, called: str) -> str:
        """The URLs of a service, as a caller's settings list them: one, when nginx deals the calls out."""
        scheme = "grpc" if called == "model" and self.over_grpc else "http"
        if called in self.balanced:
            there = {called: self.balanced[called]}
        else:
            there = self._replicas(called, self.over_grpc if scheme == "grpc" else self.numbers)
        found = self._through_edges(caller, there)
        return ",".join(f"{scheme}://{ports.HOST}:{number}" for number in found.values())

    def behind_nginx(self, service: str) -> dict[str, int]:
        """The ports where nginx finds the replicas of a service."""
        return self._through_edges(NGINX, self._replicas(service, self.numbers))

    def _replicas(self, service: str, numbers: Mapping[str, int]) -> dict[str, int]:
        return {name: number for name, number in numbers.items() if service_of(name) == service}

    def _through_edges(self, caller: str, there: dict[str, int]) -> dict[str, int]:
        if self.edges is None or not all(service_of(name) in CALLS[service_of(caller)] for name in there):
            return there
        return {name: self.edges.port(caller, name, number) for name, number in there.items()}
