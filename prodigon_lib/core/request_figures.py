"""What the middleware counts of requests, as plain numbers that become Prometheus' figures when asked for.

One thread counts, the event loop's, so there is nothing to lock; a request pays for an addition and not for
objects that guard one.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BOUNDS = [*(str(float(bound)) for bound in LATENCY_BUCKETS), "+Inf"]


@dataclass(slots=True)
class Answered:
    """Requests of one method, route and status."""

    count: int = 0
    since: float = field(default_factory=time.time)


@dataclass(slots=True)
class Latency:
    """Of one method and route: how many requests ended between a bucket's bound and the one before."""

    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * len(BOUNDS))
    since: float = field(default_factory=time.time)


class RequestFigures(Collector):
    """Times are in seconds. `in_flight` is for the middleware to count up and down."""

    def __init__(self, service: str) -> None:
        self.in_flight = 0
        self.service = service
        self._answered: dict[tuple[str, str, int], tuple[Answered, Latency]] = {}
        self._latencies: dict[tuple[str, str], Latency] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        found = self._answered.get((method, route, status))
        if found is None:
            latency = self._latencies.setdefault((method, route), Latency())
            found = self._answered[method, route, status] = (Answered(), latency)
        answered, latency = found
        answered.count += 1
        latency.seconds += seconds
        latency.buckets[bisect_left(LATENCY_BUCKETS, seconds)] += 1

    def describe(self) -> Iterable[Metric]:
        return self._families()

    def collect(self) -> Iterator[Metric]:
        requests, latencies, in_flight = self._families()
        for (method, route, status), (answered, _) in self._answered.items():
            labels = [self.service, method, route, str(status)]
            requests.add_metric(labels, answered.count, created=answered.since)
        for (method, route), latency in self._latencies.items():
            labels = [self.service, method, route]
            counts = zip(BOUNDS, accumulate(latency.buckets), strict=True)
            latencies.add_metric(labels, list(counts), latency.seconds)
            named = dict(zip(("service", "method", "route"), labels, strict=True))
            latencies.add_sample(f"{latencies.name}_created", named, latency.since)
        in_flight.add_metric([self.service], self.in_flight)
        yield from (requests, latencies, in_flight)

    @staticmethod
    def _families() -> tuple[CounterMetricFamily, HistogramMetricFamily, GaugeMetricFamily]:
        return (
            CounterMetricFamily(
                "prodigon_http_requests",
                "Requests answered.",
                labels=("service", "method", "route", "status"),
            ),
            HistogramMetricFamily(
                "prodigon_http_request_seconds",
                "Time from a request's first byte to its answer's last.",
                labels=("service", "method", "route"),
            ),
            GaugeMetricFamily(
                "prodigon_http_requests_in_flight", "Requests being answered now.", labels=("service",)
            ),
        )
