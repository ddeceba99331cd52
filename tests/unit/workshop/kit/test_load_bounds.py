"""Loads have an end, stay on this machine, and arrive as they were asked to."""

from itertools import islice, pairwise
from statistics import mean

import pytest

from prodigon_lib.workshop.load import Bounds, closed_loop, open_loop, times
from prodigon_lib.workshop.targets import Answer, Target


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://127.9.9.9/",
        "http://[::1]:80/",
        "http://localhost/",
        "https://a.localhost/",
    ],
)
def test_this_machine_may_be_loaded(url: str) -> None:
    assert Target(url).url == url


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1/", "http://10.0.0.1/", "http://example.invalid/", "http://localhost.example.invalid/",
     "http://127.0.0.1.example.invalid/", "http://127.0.0.1@192.0.2.1/", "http://0.0.0.0/"],
)  # fmt: skip
def test_another_machine_may_not(url: str) -> None:
    with pytest.raises(ValueError, match="is not this machine"):
        Target(url)
    assert Target(url, anywhere=True).url == url


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1:8000", "http:///x"])
def test_what_is_no_http_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an http address"):
        Target(url)


@pytest.mark.parametrize(
    ("count", "seconds"), [(None, None), (0, None), (None, 0.0), (100_001, None), (None, 121.0), (1, 999.0)]
)
def test_a_load_has_an_end(count: int | None, seconds: float | None) -> None:
    with pytest.raises(ValueError, match=r"needs an end|100,000 requests"):
        Bounds.of(count, seconds)


async def nothing(_: int) -> Answer | None:
    return None


@pytest.mark.parametrize("in_flight", [0, 11, 2001])
async def test_lanes_are_bounded(in_flight: int) -> None:
    with pytest.raises(ValueError, match="in flight"):
        await closed_loop(nothing, in_flight=in_flight, count=10)


@pytest.mark.parametrize(
    "wrong", [{"rate": 0}, {"rate": 1, "arrivals": "bursts"}, {"rate": 1, "most_in_flight": 0}]
)
async def test_an_open_loop_needs_a_rate_and_a_pattern(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rate must be positive"):
        await open_loop(nothing, count=1, **wrong)


def test_even_arrivals_are_even() -> None:
    assert list(islice(times(4, "even", 0), 4)) == [0, 0.25, 0.5, 0.75]


def test_poisson_arrivals_have_the_rate_and_its_spread() -> None:
    gaps = [later - sooner for sooner, later in pairwise(islice(times(50, "poisson", 1), 20_000))]
    assert mean(gaps) == pytest.approx(1 / 50, rel=0.05)
    short = sum(gap < 1 / 50 for gap in gaps) / len(gaps)
    assert short == pytest.approx(0.632, abs=0.02)


def test_a_seed_repeats_the_arrivals() -> None:
    first, second, third = (list(islice(times(5, "poisson", seed), 9)) for seed in (1, 1, 2))
    assert first == second != third
