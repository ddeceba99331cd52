"""Prometheus metrics that every service has. A service adds its own to the same registry.

One registry per application and not the process-wide default: two applications in one process (a test, the
monolith) each count their own.
"""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from prodigon_lib.core.memory import resident_bytes
from prodigon_lib.core.request_figures import RequestFigures


class Metrics:
    """Figures of one service; `requests` are those that the middleware counts."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, service: str, *, beside: "Sequence[Metrics]" = ()) -> None:
        """`beside` are those of other services in this process, shown in the same document."""
        self.service = service
        self.registry = CollectorRegistry()
        self._shown = (self, *beside)
        self._process = process_figures()
        self.requests = RequestFigures(service)
        self.registry.register(self.requests)
        self.tasks = Gauge(
            "prodigon_asyncio_tasks",
            "Tasks of the event loop that have not ended; one that only grows leaks.",
            registry=self.registry,
        )
        self.tokens = Counter(
            "prodigon_tokens_total",
            "Tokens, by model and direction (prompt, completion).",
            ("service", "model", "direction"),
            registry=self.registry,
        )

    def render(self) -> bytes:
        services = Joined(self._shown) if len(self._shown) > 1 else self.registry
        return generate_latest(services) + generate_latest(self._process)


def process_figures() -> CollectorRegistry:
    """Memory, processor time and open files, under the names that Prometheus' own clients use.

    Of the process and not of a service: shown once, however many share it.
    """
    registry = CollectorRegistry()
    if not list(ProcessCollector(registry=registry).collect()):  # it reads /proc, which macOS has not
        resident = Gauge("process_resident_memory_bytes", "Resident memory size in bytes.", registry=registry)
        resident.set_function(resident_bytes)
    return registry


class Joined(Collector):
    """The figures of several services; one that several have is shown once, with the samples of each."""

    def __init__(self, parts: Iterable[Metrics]) -> None:
        self._parts = tuple(parts)

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for part in self._parts:
            for family in part.registry.collect():
                known = families.setdefault(family.name, family)
                if known is not family:
                    known.samples.extend(family.samples)
        return families.values()
