"""The rule of rates, on a clock of the test's."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodigon_lib.security.limiters import MemoryLimiter
from prodigon_lib.security.rates import Rate
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def through(limiter: MemoryLimiter, count: int, key: str = "a") -> int:
    return sum([(await limiter.take(key)).allowed for _ in range(count)])


@pytest.mark.parametrize(
    ("text", "limit", "seconds"), [("100/minute", 100, 60), ("5/10 seconds", 5, 10), ("1/day", 1, 86400)]
)
def test_a_rate_is_read(text: str, limit: int, seconds: int) -> None:
    assert Rate.parse(text) == Rate(limit, seconds)


@pytest.mark.parametrize("text", ["", "100", "0/minute", "a/minute", "1/fortnight", "9999999/second"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        Rate.parse(text)


async def test_the_limit_may_come_at_once_then_one_each_interval(clock: Clock) -> None:
    limiter = MemoryLimiter(Rate(10, 60), clock=clock)
    assert await through(limiter, 100) == 10
    clock.now += 5.9
    assert await through(limiter, 100) == 0
    clock.now += 0.2
    assert await through(limiter, 100) == 1


async def test_callers_do_not_share_their_places(clock: Clock) -> None:
    limiter = MemoryLimiter(Rate(3, 60), clock=clock)
    assert [await through(limiter, 9, key) for key in "abc"] == [3, 3, 3]


async def test_a_refusal_says_when_and_costs_nothing(clock: Clock) -> None:
    limiter = MemoryLimiter(Rate(2, 10), clock=clock)
    await through(limiter, 2)
    refused = [await limiter.take("a") for _ in range(50)]
    assert {round(each.retry_after, 3) for each in refused} == {5.0}
    clock.now += 5.0
    assert (await limiter.take("a")).allowed


async def test_what_is_left_is_told(clock: Clock) -> None:
    limiter = MemoryLimiter(Rate(3, 60), clock=clock)
    assert [(await limiter.take("a")).remaining for _ in range(4)] == [2, 1, 0, 0]
    assert (await limiter.take("a")).reset_after == pytest.approx(60)


async def test_a_dear_request_takes_several_places(clock: Clock) -> None:
    limiter = MemoryLimiter(Rate(10, 60), clock=clock)
    assert (await limiter.take("a", cost=8)).allowed
    refused = await limiter.take("a", cost=8)
    assert not refused.allowed
    assert refused.retry_after == pytest.approx(36)
    assert (await limiter.take("a", cost=2)).allowed


@given(st.lists(st.floats(0, 20), max_size=200), st.integers(1, 9), st.integers(1, 30))
def test_no_stretch_of_time_sees_more_than_the_limit_and_what_time_adds(
    pauses: list[float], limit: int, seconds: int
) -> None:
    """Checked on every pair of moments, so on windows that begin anywhere."""
    rate, clock, let_in = Rate(limit, seconds), Clock(), []
    limiter = MemoryLimiter(rate, clock=clock)

    async def come() -> None:
        for pause in pauses:
            clock.now += pause
            if (await limiter.take("a")).allowed:
                let_in.append(clock.now)

    asyncio.run(come())
    for place, start in enumerate(let_in):
        for last in range(place, len(let_in)):
            stretch = let_in[last] - start + 2e-6  # moments are whole microseconds
            assert last - place + 1 <= limit + stretch * 1_000_000 / rate.interval


async def test_memory_stays_bounded(clock: Clock) -> None:
    limiter = MemoryLimiter(Rate(1, 60), most_keys=100, clock=clock)
    for number in range(1000):
        await limiter.take(str(number))
    assert len(limiter._due) <= 100
    assert not (await limiter.take("999")).allowed  # those that came last are remembered
