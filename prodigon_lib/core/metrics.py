"""Prometheus metrics that every service has. A service adds its own to the same registry.

One registry per application and not the process-wide default: two applications in one process (a test, the
monolith) each count their own.
"""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Request figures of one service; times in seconds."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, service: str, *, beside: "Sequence[Metrics]" = ()) -> None:
        """`beside` are those of other services in this process, shown in the same document."""
        self.service = service
        self.registry = CollectorRegistry()
        self._shown = (self, *beside)
        self.requests = Counter(
            "prodigon_http_requests_total",
            "Requests answered.",
            ("service", "method", "route", "status"),
            registry=self.registry,
        )
        self.latency = Histogram(
            "prodigon_http_request_seconds",
            "Time from a request's first byte to its answer's last.",
            ("service", "method", "route"),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "prodigon_http_requests_in_flight",
            "Requests being answered now.",
            ("service",),
            registry=self.registry,
        ).labels(service)
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

        self._figures: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method, route, status)
        figures = self._figures.get(key)
        if figures is None:  # finding a figure by its labels costs more than counting
            count = self.requests.labels(self.service, method, route, str(status))
            figures = self._figures[key] = (count, self.latency.labels(self.service, method, route))
        figures[0].inc()
        figures[1].observe(seconds)

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
