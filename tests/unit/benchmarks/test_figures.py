"""From runs to figures, and how they are written."""

import pytest

from tests.benchmarks.figures import difference, in_turn, middle, number, quantile, ratio
from tests.benchmarks.gateway_tables import GatewayFigures
from tests.unit.benchmarks.runs import json_run


def test_the_middle_is_of_the_runs_that_have_the_field() -> None:
    assert middle([{"a": 1}, {"a": None}, {}, {"a": 9}, {"a": 2}], "a") == 2
    assert middle([{}], "a") is None


def test_what_was_not_measured_has_no_ratio() -> None:
    assert (ratio(1, 4), ratio(None, 4), ratio(1, None), ratio(1, 0)) == (0.25, None, None, None)
    assert (difference(3, 1), difference(None, 1)) == (2, None)


def test_a_share_is_the_median_of_what_it_is_within_rounds() -> None:
    ours = [{"round": n, "rps": rate} for n, rate in ((0, 30.0), (1, 80.0), (2, 15.0), (3, 99.0))]
    base = [{"round": n, "rps": rate} for n, rate in ((0, 60.0), (1, 200.0), (2, 20.0))]
    assert in_turn(ours, base, "rps") == 0.5  # of 0.5, 0.4 and 0.75; the medians' ratio would be nearly 1
    assert in_turn(ours, [], "rps") is None


def test_a_quantile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)) == (51, 100, 100)
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (0.0123, "0.0123"), (12.345, "12.3"), (12345.6, "12,346"), (0, "0")]
)
def test_a_number_has_the_digits_that_tell_something(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_a_gateways_rate_is_the_median_of_its_rounds_and_failures_add_up() -> None:
    rates = ((10, 0), (30, 1), (20, 2))
    runs = [json_run("prodigon", 16, rate, round_=n, failed=bad) for n, (rate, bad) in enumerate(rates)]
    figures = GatewayFigures([*runs, *(json_run("asgi-aiohttp", 16, 40, round_=n) for n in range(3))])
    assert figures.rate("prodigon", 16) == 20
    assert figures.share("prodigon", 16) == 0.5
    assert figures.per_core("prodigon", 16) == 40
    assert figures.failed("prodigon") == 3
    assert figures.rate("prodigon", 64) is None
