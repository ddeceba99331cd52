"""Rates, shares and percentiles from readings of `/metrics`."""

import pytest
from prometheus_client import Histogram

from prodigon_lib.cache.metrics import CacheMetrics
from prodigon_lib.cache.responses import Outcome
from prodigon_lib.core.loop_lag import LoopLag
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.widgets.dashboard.figures import LAG, Step, gauge, increments, quantile, read
from prodigon_lib.widgets.dashboard.meter import WINDOW, Meter


class Service:
    """A service's real metrics; `answer` is a request of it."""

    def __init__(self, name: str = "gateway") -> None:
        self.metrics = Metrics(name)

    def answer(self, status: int = 200, seconds: float = 0.02, route: str = "/work") -> None:
        self.metrics.requests.observe("POST", route, status, seconds)

    def reading(self) -> dict:
        return dict(read(self.metrics.render().decode()))


def test_requests_a_second_and_the_share_of_errors() -> None:
    service, meter = Service(), Meter()
    service.answer()
    meter.take(service.reading(), 10.0)
    for status in (200, 200, 404, 429, 503):
        service.answer(status)
    meter.take(service.reading(), 12.0)
    found = meter.figures()
    assert found is not None
    assert found.requests == 2.5
    assert found.errors == pytest.approx(2 / 5)


def test_the_share_of_answers_for_which_the_cache_spared_a_call() -> None:
    service, meter = Service(), Meter()
    cache = CacheMetrics(service.metrics)
    meter.take(service.reading(), 10.0)
    assert meter.figures() is None
    for outcome in (Outcome.HIT, Outcome.HIT, Outcome.JOINED, Outcome.MISS, Outcome.BYPASSED):
        cache.answered(outcome)
    meter.take(service.reading(), 12.0)
    found = meter.figures()
    assert found is not None
    assert found.spared == pytest.approx(3 / 5)


def test_one_reading_alone_tells_nothing() -> None:
    meter = Meter()
    meter.take(Service().reading(), 10.0)
    assert meter.figures() is None


def test_a_process_that_started_anew_counts_from_zero() -> None:
    old, new, meter = Service(), Service(), Meter()
    for _ in range(100):
        old.answer()
    meter.take(old.reading(), 10.0)
    for _ in range(4):
        new.answer()
    meter.take(new.reading(), 12.0)
    found = meter.figures()
    assert found is not None
    assert found.requests == 2.0


def test_a_restart_is_seen_in_any_counter_and_holds_for_all() -> None:
    old, new = Service(), Service()
    old.answer(503)
    old.answer(200)
    new.answer(200)
    new.answer(200)
    before, after = old.reading(), new.reading()
    grown = increments(before, after)
    assert sum(value for series, value in grown.items() if series.label("status") == "200") == 2.0


def test_looks_at_a_service_are_no_work() -> None:
    service, meter = Service(), Meter()
    meter.take(service.reading(), 0.0)
    for route in ("/metrics", "/health", "/health/ready"):
        service.answer(route=route, seconds=9)
    service.answer(seconds=0.02)
    meter.take(service.reading(), 1.0)
    found = meter.figures()
    assert found is not None
    assert found.requests == 1.0
    assert found.p99 is not None
    assert found.p99 < 0.1


def test_percentiles_are_those_of_the_buckets() -> None:
    service, meter = Service(), Meter()
    meter.take(service.reading(), 0.0)
    for _ in range(90):
        service.answer(seconds=0.004)
    for _ in range(10):
        service.answer(seconds=0.8, route="/other")
    meter.take(service.reading(), 1.0)
    found = meter.figures()
    assert found is not None
    assert found.p50 is not None
    assert 0.0025 < found.p50 <= 0.005
    assert found.p95 is not None
    assert 0.5 < found.p95 <= 1


@pytest.mark.parametrize(
    ("share", "cumulative", "expected"),
    [
        (0.5, [(1.0, 0.0), (2.0, 10.0), (float("inf"), 10.0)], 1.5),
        (0.9, [(1.0, 10.0), (float("inf"), 10.0)], 0.9),
        (0.99, [(1.0, 1.0), (float("inf"), 10.0)], 1.0),
        (0.5, [(1.0, 0.0), (float("inf"), 0.0)], None),
        (0.5, [], None),
    ],
    ids=["inside a bucket", "in the first", "beyond the last bound", "nothing counted", "no buckets"],
)
def test_a_quantile_is_linear_within_its_bucket(
    share: float, cumulative: list[tuple[float, float]], expected: float | None
) -> None:
    assert quantile(share, cumulative) == (None if expected is None else pytest.approx(expected))


def test_figures_span_the_last_steps_and_no_silence() -> None:
    service, meter = Service(), Meter()
    for second in range(WINDOW + 3):
        meter.take(service.reading(), float(second))
        service.answer()
    found = meter.figures()
    assert found is not None
    assert found.requests == 1.0
    meter.missed()
    assert meter.figures() is None
    for _ in range(50):
        service.answer()
    meter.take(service.reading(), 100.0)
    assert meter.figures() is None


def test_tokens_a_second_are_those_that_the_model_wrote() -> None:
    service, meter = Service("model"), Meter()
    tokens = service.metrics.tokens
    tokens.labels("model", "m", "prompt").inc(0)
    tokens.labels("model", "m", "completion").inc(0)
    meter.take(service.reading(), 0.0)
    tokens.labels("model", "m", "prompt").inc(900)
    tokens.labels("model", "m", "completion").inc(100)
    meter.take(service.reading(), 2.0)
    found = meter.figures()
    assert found is not None
    assert found.tokens == 50.0


def test_services_that_share_a_process_are_told_apart() -> None:
    first, second = Service("gateway"), Service("model")
    joined = Metrics("worker", beside=[first.metrics, second.metrics])
    meter = Meter()
    meter.take(read(joined.render().decode()), 0.0)
    first.answer()
    second.answer(500)
    second.answer(500)
    meter.take(read(joined.render().decode()), 1.0)
    gateway, model = meter.figures("gateway"), meter.figures("model")
    assert gateway is not None
    assert model is not None
    assert (gateway.requests, gateway.errors) == (1.0, 0.0)
    assert (model.requests, model.errors) == (2.0, 1.0)


def test_other_series_are_left_out() -> None:
    service = Service()
    Histogram("another_thing", "", registry=service.metrics.registry).observe(1)
    assert {series.name.split("_")[0] for series in service.reading()} == {"prodigon"}
    assert gauge(service.reading(), "another_thing_count") is None


def test_no_steps_no_figures() -> None:
    from prodigon_lib.widgets.dashboard.figures import figures

    assert figures([]) is None
    assert figures([Step(0.0, {})]) is None


def test_the_longest_lag_of_the_loop_is_read() -> None:
    service, lag = Service("model"), LoopLag("model", 1.0)
    service.metrics.registry.register(lag)
    assert gauge(service.reading(), LAG, service="model") == 0.0
