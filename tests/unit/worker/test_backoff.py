"""The wait before the next attempt, for every attempt, base and cap."""

import random

from hypothesis import given
from hypothesis import strategies as st

from prodigon_lib.worker.backoff import LONGEST_RETRY_AFTER, Backoff

ATTEMPTS = st.integers(1, 10_000)
BASES = st.floats(0.001, 60)
CAPS = st.floats(0.001, 3600)
WISHES = st.none() | st.floats(0, 1e9)


@given(ATTEMPTS, BASES, CAPS, st.integers())
def test_a_wait_is_within_its_cap(attempt: int, base: float, cap: float, seed: int) -> None:
    assert 0 < Backoff(base, cap, random.Random(seed)).delay(attempt) <= cap


@given(st.integers(1, 20), BASES, CAPS, st.integers())
def test_a_wait_doubles_until_its_cap(attempt: int, base: float, cap: float, seed: int) -> None:
    longest = min(cap, base * 2 ** (attempt - 1))
    assert longest / 2 <= Backoff(base, cap, random.Random(seed)).delay(attempt) <= longest


@given(ATTEMPTS, BASES, CAPS, WISHES, st.integers())
def test_retry_after_is_kept(attempt: int, base: float, cap: float, wish: float | None, seed: int) -> None:
    delay = Backoff(base, cap, random.Random(seed)).delay(attempt, wish)
    assert delay >= min(wish or 0, LONGEST_RETRY_AFTER)
    assert delay <= max(cap, LONGEST_RETRY_AFTER + base)


def test_waits_after_one_fault_are_spread() -> None:
    backoff = Backoff(1.0, 30.0, random.Random(7))
    for waits in (
        [backoff.delay(3) for _ in range(100)],
        [backoff.delay(1, retry_after=10) for _ in range(100)],
    ):
        assert max(waits) - min(waits) > 0.5
