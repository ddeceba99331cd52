"""A histogram keeps percentiles within its precision, and merges without loss."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodigon_lib.workshop.histogram import Histogram

TIMES = st.lists(st.floats(min_value=2e-6, max_value=1000.0), min_size=1, max_size=200)


@given(TIMES, st.sampled_from([0, 1, 25, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_within_the_precision_of_the_exact_one(times: list[float], percent: float) -> None:
    exact = sorted(times)[max(0, math.ceil(len(times) * percent / 100) - 1)]
    assert Histogram(times).percentile(percent) == pytest.approx(exact, rel=0.0101)


@given(TIMES, TIMES)
def test_merging_is_recording_all(one: list[float], other: list[float]) -> None:
    merged, both = Histogram(one) + Histogram(other), Histogram(one + other)
    assert list(merged.steps()) == list(both.steps())
    assert (merged.count, merged.least, merged.most) == (both.count, both.least, both.most)
    assert merged.mean == pytest.approx(both.mean)


@given(TIMES)
def test_it_crosses_to_another_process_as_json(times: list[float]) -> None:
    histogram = Histogram(times)
    assert Histogram.from_dict(json.loads(json.dumps(histogram.to_dict()))) == histogram


def test_the_mean_of_percentiles_is_not_the_percentile_of_all() -> None:
    fast, slow = Histogram([0.01] * 990), Histogram([1.0] * 10)
    assert (fast + slow).percentile(99) == pytest.approx(0.01, rel=0.02)
    assert (fast.percentile(99) + slow.percentile(99)) / 2 == pytest.approx(0.5, rel=0.02)


def test_the_omitted_requests_of_a_stall_can_be_counted_in() -> None:
    histogram = Histogram([0.01] * 100)
    histogram.record_corrected(1.0, interval=0.1)
    assert histogram.count == 110
    assert histogram.percentile(95) == pytest.approx(0.5, rel=0.2)


def test_extremes_are_exact() -> None:
    histogram = Histogram([0.0, 0.123456, 7.654321])
    assert histogram.percentile(100) == histogram.most == 7.654321
    assert histogram.percentile(0) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_what_is_no_time_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not a time"):
        Histogram([value])


def test_other_buckets_do_not_merge() -> None:
    with pytest.raises(ValueError, match=r"precision 0\.05 does not fit"):
        Histogram().merge(Histogram(precision=0.05))
    with pytest.raises(ValueError, match="precision is a fraction"):
        Histogram(precision=0)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="of nothing"):
        Histogram().percentile(50)
    with pytest.raises(ValueError, match="101 is no percentage"):
        Histogram([1]).percentile(101)
    assert repr(Histogram()) == "Histogram of nothing"
    assert Histogram().mean == 0
    assert "p99 1e+03 ms" in repr(Histogram([1.0])) or "p99 1000" in repr(Histogram([1.0]))


def test_few_buckets_hold_many_magnitudes() -> None:
    histogram = Histogram(10**exponent for exponent in range(-6, 4))
    histogram.record(0.5, count=1_000_000)
    assert len(histogram.to_dict()["counts"]) == 11
    assert histogram.count == 1_000_010
