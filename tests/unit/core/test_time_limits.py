"""Limits that one timer keeps for all."""

import asyncio
import socket
import time
from collections.abc import Callable

import pytest
import uvloop

from prodigon_lib.core.context import current_request_id
from prodigon_lib.core.ids import RequestId
from prodigon_lib.core.time_limits import Ticker, TimeLimits, ticker_of


async def for_ever() -> None:
    await asyncio.Event().wait()


async def within(limits: TimeLimits, seconds: float) -> None:
    with limits.until(asyncio.get_running_loop().time() + seconds):
        await for_ever()


async def test_what_takes_too_long_is_ended() -> None:
    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await within(TimeLimits(), 0.05)
    assert asyncio.current_task().cancelling() == 0


async def test_what_is_in_time_goes_on() -> None:
    limits = TimeLimits()
    with limits.until(asyncio.get_running_loop().time() + 60):
        await asyncio.sleep(0)
    assert not limits.running


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_came_in_time_is_heard_by_a_loop_that_is_late(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    def busy() -> None:
        theirs.send(b"in time")
        time.sleep(1)

    async def listen() -> bytes:
        loop, limits = asyncio.get_running_loop(), TimeLimits()
        loop.call_later(0.01, busy)
        with limits.until(loop.time() + 0.5):
            return await loop.sock_recv(ours, 99)

    with ours, theirs, asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(listen()) == b"in time"


async def test_of_many_only_those_whose_time_is_over_are_ended() -> None:
    limits = TimeLimits()
    async with asyncio.timeout(10):
        late = [asyncio.create_task(within(limits, 0.05)) for _ in range(50)]
        patient = asyncio.create_task(within(limits, 60))
        ended = await asyncio.gather(*late, return_exceptions=True)
    assert all(isinstance(error, TimeoutError) for error in ended)
    assert not patient.done()
    patient.cancel()
    await asyncio.wait({patient})


async def test_a_task_that_somebody_else_cancels_is_cancelled_and_not_late() -> None:
    task = asyncio.create_task(within(TimeLimits(), 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_both_at_once_is_a_cancelling() -> None:
    limits = TimeLimits()
    task = asyncio.create_task(within(limits, 60))
    await asyncio.sleep(0)
    (limit,) = limits.running
    limit.reach()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_inner_limit_leaves_the_outer_one_alone() -> None:
    limits = TimeLimits()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        with limits.until(loop.time() + 60):
            with pytest.raises(TimeoutError):
                await within(limits, 0.02)
            assert len(limits.running) == 1


async def test_a_fault_while_it_is_ended_is_kept() -> None:
    async def fails_to_stop() -> None:
        try:
            await for_ever()
        finally:
            raise KeyError

    async with asyncio.timeout(10):
        with pytest.raises(KeyError), TimeLimits().until(asyncio.get_running_loop().time() + 0.02):
            await fails_to_stop()
    assert asyncio.current_task().cancelling() == 0


async def test_it_can_be_used_again_after_a_rest() -> None:
    limits = TimeLimits()
    for _ in range(2):
        async with asyncio.timeout(10):
            with pytest.raises(TimeoutError):
                await within(limits, 0.02)


class Alarm:
    def __init__(self, end: float) -> None:
        self.end, self.reached, self.rang = end, 0, asyncio.Event()
        self.request_id: str | None = None

    def reach(self) -> None:
        self.reached += 1
        self.request_id = current_request_id.get()
        self.rang.set()


async def test_what_is_due_is_reached_once() -> None:
    now, ticker = asyncio.get_running_loop().time(), Ticker()
    early, late = Alarm(now), Alarm(now + 600)
    ticker.add(early)
    ticker.add(late)
    async with asyncio.timeout(10):
        await early.rang.wait()
    await asyncio.sleep(0.1)
    assert (early.reached, late.reached) == (1, 0)
    assert ticker.running == {late}


async def test_what_is_due_is_reached_in_the_context_of_no_request() -> None:
    alarm = Alarm(asyncio.get_running_loop().time())
    token = current_request_id.set(RequestId("of-the-first"))
    Ticker().add(alarm)
    current_request_id.reset(token)
    async with asyncio.timeout(10):
        await alarm.rang.wait()
    assert alarm.request_id is None


async def test_a_ticker_that_came_to_rest_ticks_again() -> None:
    now, ticker = asyncio.get_running_loop().time(), Ticker()
    for alarm in (Alarm(now), Alarm(now)):
        ticker.add(alarm)
        async with asyncio.timeout(10):
            await alarm.rang.wait()
        await asyncio.sleep(0.1)


def test_each_loop_has_a_ticker_of_its_own() -> None:
    async def mine() -> Ticker:
        loop = asyncio.get_running_loop()
        assert ticker_of(loop) is ticker_of(loop)
        return ticker_of(loop)

    assert asyncio.run(mine()) is not asyncio.run(mine())
