"""Figures of a service, worked out from readings of its `/metrics`. No I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

REQUESTS = "prodigon_http_requests_total"
LATENCY = "prodigon_http_request_seconds_bucket"
TOKENS = "prodigon_tokens_total"
CALLS = "prodigon_model_calls_total"
CACHE = "prodigon_cache_answers_total"
COUNTED = (REQUESTS, LATENCY, TOKENS, CALLS, CACHE)
SPARED = ("hit", "joined")
"""What became of an answer that cost no call of its own."""

QUEUE = "prodigon_queue_prompts"
OLDEST = "prodigon_queue_oldest_seconds"
RUNNING = "prodigon_prompts_running"
PAUSED = "prodigon_worker_paused"
IN_FLIGHT = "prodigon_http_requests_in_flight"
LAG = "prodigon_loop_lag_longest_seconds"
SHOWN = (QUEUE, OLDEST, RUNNING, PAUSED, IN_FLIGHT, LAG)

NOT_WORK = ("/metrics", "/memory", "/health", "/health/live", "/health/ready")
"""Routes that are asked to look at a service, not to use it."""


class Series(NamedTuple):
    """One line of the exposition, without its value."""

    name: str
    labels: frozenset[tuple[str, str]]

    def label(self, name: str) -> str:
        return dict(self.labels).get(name, "")


Reading = Mapping[Series, float]
Chosen = Callable[[Series], bool]


def read(text: str) -> Reading:
    """The series that the dashboard uses; the others cost no parsing."""
    lines = [line for line in text.splitlines() if line.startswith((*COUNTED, *SHOWN))]
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return {
        Series(sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def increments(before: Reading, now: Reading) -> dict[Series, float]:
    """What each counter grew by. A process that started anew in between has counted from zero."""
    counted = {series: value for series, value in now.items() if series.name in COUNTED}
    anew = any(counted.get(series, 0.0) < value for series, value in before.items() if series.name in COUNTED)
    return {series: value - (0.0 if anew else before.get(series, 0.0)) for series, value in counted.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """What was counted between two readings."""

    seconds: float
    counted: Mapping[Series, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some seconds. Times are in seconds, shares from 0 to 1; `None` where there was nothing to divide by.

    `errors` is the share of answers that were 429 or 5xx; `failed` that of the calls to the model's provider;
    `spared` that of the whole answers for which a cache spared the call.
    """

    requests: float
    errors: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    tokens: float
    failed: float | None
    spared: float | None


def figures(steps: Sequence[Step], service: str | None = None) -> Figures | None:
    """Over these steps together, `None` without any; `service` picks one of several in a process."""
    seconds = sum(step.seconds for step in steps)
    if seconds <= 0:
        return None
    found = total(steps, service)
    answers = [(s, n) for s, n in found.items() if s.name == REQUESTS and s.label("route") not in NOT_WORK]
    calls = [(s, n) for s, n in found.items() if s.name == CALLS and s.label("outcome") != "cancelled"]
    p50, p95, p99 = (quantile(share, buckets(found)) for share in (0.5, 0.95, 0.99))
    return Figures(
        requests=sum(n for _, n in answers) / seconds,
        errors=share_of(answers, lambda series: is_failure(series.label("status"))),
        p50=p50,
        p95=p95,
        p99=p99,
        tokens=sum(n for s, n in found.items() if s.name == TOKENS and s.label("direction") == "completion")
        / seconds,
        failed=share_of(calls, lambda series: series.label("outcome") != "ok"),
        spared=share_of(
            [(series, number) for series, number in found.items() if series.name == CACHE],
            lambda series: series.label("outcome") in SPARED,
        ),
    )


def total(steps: Iterable[Step], service: str | None) -> dict[Series, float]:
    found: dict[Series, float] = {}
    for step in steps:
        for series, number in step.counted.items():
            if service is None or series.label("service") in ("", service):
                found[series] = found.get(series, 0.0) + number
    return found


def is_failure(status: str) -> bool:
    return status == "429" or status.startswith("5")


def share_of(counted: Sequence[tuple[Series, float]], chosen: Chosen) -> float | None:
    everything = sum(number for _, number in counted)
    return sum(number for series, number in counted if chosen(series)) / everything if everything else None


def buckets(found: Mapping[Series, float]) -> list[tuple[float, float]]:
    """Upper bounds with how many requests were at most so long, of all routes that are work."""
    counts: dict[float, float] = {}
    for series, number in found.items():
        if series.name == LATENCY and series.label("route") not in NOT_WORK:
            bound = float(series.label("le").replace("+Inf", "inf"))
            counts[bound] = counts.get(bound, 0.0) + number
    return sorted(counts.items())


def quantile(share: float, cumulative: Sequence[tuple[float, float]]) -> float | None:
    """As Prometheus' `histogram_quantile`: linear within a bucket, at most the highest finite bound."""
    if not cumulative or not cumulative[-1][1]:
        return None
    rank = share * cumulative[-1][1]
    lower, below = 0.0, 0.0
    for bound, count in cumulative:
        if count >= rank and count > below:
            if bound == inf:
                return lower
            return lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = bound, count
    return lower


def gauge(reading: Reading, name: str, **labels: str) -> float | None:
    """The value of the series with these labels, whatever others it has."""
    wanted = set(labels.items())
    return next((v for s, v in reading.items() if s.name == name and wanted <= s.labels), None)
