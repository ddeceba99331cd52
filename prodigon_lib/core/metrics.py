"""Prometheus metrics that every service has. A service adds its own to the same registry.

One registry per application and not the process-wide default: two applications in one process (a test, the
monolith) each count their own.
"""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from prodigon_lib.core.request_figures import RequestFigures


class Metrics:
    """Figures of one service; `requests` are those that the middleware counts."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, service: str, *, beside: "Sequence[Metrics]" = ()) -> None:
        """`beside` are those of other services in this process, shown in the same document."""
        self.service = service
        self.registry = CollectorRegistry()
        self._shown = (self, *beside)
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
        return generate_latest(Joined(self._shown) if len(self._shown) > 1 else self.registry)


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
