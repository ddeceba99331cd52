"""What is counted of requests, as Prometheus reads it."""

from itertools import islice

from prodigon_lib.core.ids import request_ids
from prodigon_lib.core.metrics import Metrics


def figures(metrics: Metrics) -> dict[str, float]:
    lines = metrics.render().decode().splitlines()
    split = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in split}


def test_requests_are_counted_by_status_and_timed_by_route() -> None:
    metrics = Metrics("demo")
    for status, seconds in ((200, 0.001), (200, 0.002), (500, 99)):
        metrics.requests.observe("GET", "/a", status, seconds)
    shown = figures(metrics)
    counted = 'prodigon_http_requests_total{{method="GET",route="/a",service="demo",status="{}"}}'
    assert (shown[counted.format(200)], shown[counted.format(500)]) == (2, 1)
    timed = 'prodigon_http_request_seconds_{}{{{}method="GET",route="/a",service="demo"}}'
    assert shown[timed.format("count", "")] == 3
    assert shown[timed.format("sum", "")] == 99.003
    bounds = ("0.001", "0.0025", "60.0", "+Inf")
    assert [shown[timed.format("bucket", f'le="{bound}",')] for bound in bounds] == [1, 2, 2, 3]


def test_what_runs_is_counted_up_and_down() -> None:
    metrics = Metrics("demo")
    metrics.requests.in_flight += 1
    assert figures(metrics)['prodigon_http_requests_in_flight{service="demo"}'] == 1


def test_ids_do_not_repeat_when_the_next_lot_is_drawn() -> None:
    drawn = list(islice(request_ids(), 1000))
    assert len(set(drawn)) == 1000
    assert {len(id) for id in drawn} == {32}
