"""Requests that come at once begin a few at a time, in order, and are refused when that takes too long."""

import asyncio
import time

import pytest

from prodigon_lib.core.context import current_request_id
from prodigon_lib.core.deadline import current_deadline
from prodigon_lib.core.errors import RateLimited
from prodigon_lib.core.http.turns import A_PASS, Turns
from prodigon_lib.core.ids import RequestId


class Passes:
    """Which pass of the event loop it is, while the block goes on."""

    def __init__(self) -> None:
        self.now = 0
        self._loop = asyncio.get_running_loop()
        self._ended = False

    def __enter__(self) -> "Passes":
        self._next()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True

    def _next(self) -> None:
        self.now += 1
        if not self._ended:
            self._loop.call_soon(self._next)


async def test_a_few_begin_in_a_pass_in_the_order_of_their_coming() -> None:
    turns, began = Turns(60), []

    async def request(number: int, passes: Passes) -> None:
        await turns.take()
        began.append((number, passes.now))

    with Passes() as passes:
        await asyncio.gather(*(request(number, passes) for number in range(100)))
    assert [number for number, _ in began] == list(range(100))
    at = [when for _, when in began]
    assert max(at.count(when) for when in set(at)) == A_PASS
    assert at[-1] - at[0] >= 100 // A_PASS


async def test_the_first_are_done_before_the_last_begin() -> None:
    """Without turns all are half done when the first could have been."""
    turns, words = Turns(60), []

    async def request() -> None:
        await turns.take()
        words.append("begin")
        for _ in range(5):
            await asyncio.sleep(0)
        words.append("end")

    await asyncio.gather(*(request() for _ in range(400)))
    assert "end" in words[: 8 * A_PASS]
    assert words.count("end") == 400


async def test_one_alone_does_not_wait() -> None:
    turns = Turns(60)
    for _ in range(3 * A_PASS):
        taking = turns.take()
        with pytest.raises(StopIteration):
            taking.send(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_one_whose_turn_does_not_come_in_time_is_told() -> None:
    turns = Turns(0.05)

    async def request() -> None:
        await turns.take()
        time.sleep(0.02)  # noqa: ASYNC251  what a request costs

    outcomes = await asyncio.gather(*(request() for _ in range(20 * A_PASS)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, RateLimited)]
    assert A_PASS <= len(outcomes) - len(refused) <= 3 * A_PASS
    assert refused[0].retry_after >= 1
    assert outcomes == [None] * (len(outcomes) - len(refused)) + refused


async def test_half_of_a_callers_time_is_left_for_the_work() -> None:
    """The rest of a crowd has time enough, and waits."""
    turns = Turns(60)

    async def request(seconds: float | None) -> None:
        token = current_deadline.set(None if seconds is None else time.monotonic() + seconds)
        try:
            await turns.take()
            time.sleep(0.02)  # noqa: ASYNC251  what a request costs
        finally:
            current_deadline.reset(token)

    limits = [None if number % 2 else 1.0 for number in range(8 * A_PASS)]
    outcomes = await asyncio.gather(*(request(limit) for limit in limits), return_exceptions=True)
    short = [outcome for outcome, limit in zip(outcomes, limits, strict=True) if limit]
    refused = [outcome for outcome in short if isinstance(outcome, RateLimited)]
    assert A_PASS / 2 <= len(short) - len(refused) <= 1.5 * A_PASS
    assert [outcome for outcome, limit in zip(outcomes, limits, strict=True) if not limit] == [None] * len(
        short
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The event loop's, which a test sets."""
    now = [1000.0]
    monkeypatch.setattr(asyncio.BaseEventLoop, "time", lambda _: now[0])
    return now


async def test_who_would_wait_too_long_is_told_at_once(clock: list[float]) -> None:
    turns = Turns(5)
    crowd = [asyncio.create_task(turns.take()) for _ in range(40 * A_PASS)]
    for _ in range(12):  # passes a tenth of a second apart, twice as long as a pace is measured over
        clock[0] += 0.1
        await asyncio.sleep(0)
    waiting = sum(not task.done() for task in crowd)
    pace = A_PASS / 0.1
    assert waiting < 5 * pace
    last = [asyncio.create_task(turns.take()) for _ in range(int(5 * pace) - waiting + 100)]
    await asyncio.sleep(0)
    told = [task for task in last if task.done() and isinstance(task.exception(), RateLimited)]
    assert abs(waiting + len(last) - len(told) - 5 * pace) <= 3 * A_PASS
    assert told == last[-len(told) :]
    await asyncio.gather(*crowd)
    await asyncio.gather(*last, return_exceptions=True)


async def test_after_a_crowd_the_next_is_let_in() -> None:
    turns = Turns(60)
    await asyncio.gather(*(turns.take() for _ in range(10 * A_PASS)))
    async with asyncio.timeout(10):
        await asyncio.gather(*(turns.take() for _ in range(10 * A_PASS)))


async def test_one_that_was_cancelled_costs_nobody_a_turn() -> None:
    turns = Turns(60)
    tasks = [asyncio.create_task(turns.take()) for _ in range(4 * A_PASS)]
    await asyncio.sleep(0)
    for task in tasks[A_PASS : 2 * A_PASS]:
        task.cancel()
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes].count(True) == A_PASS
    assert outcomes.count(None) == 3 * A_PASS


async def test_turns_are_given_in_the_context_of_no_request() -> None:
    seen: list[object] = []
    turns = Turns(60)
    give = turns._pass
    turns._pass = lambda loop: (seen.append(current_request_id.get()), give(loop))  # type: ignore[method-assign]
    token = current_request_id.set(RequestId("one"))
    await asyncio.gather(*(turns.take() for _ in range(3 * A_PASS)))
    current_request_id.reset(token)
    assert seen
    assert set(seen) == {None}
