"""Single flight in one process: one call, and nobody takes anybody along."""

import asyncio
import time

import pytest

from prodigon_lib.cache.flights import Flights
from prodigon_lib.core.deadline import current_deadline, remaining
from prodigon_lib.core.errors import UpstreamError, UpstreamTimeout
from tests.polling import eventually


class Work:
    """Answers once `done` is set; `begun` and `ended` are counts, `left` the time it was allowed."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.done = asyncio.Event()
        self.begun = self.ended = 0
        self.fault = fault
        self.left: float | None = 0.0

    async def __call__(self) -> str:
        self.begun += 1
        self.left = remaining()
        try:
            await self.done.wait()
            if self.fault is not None:
                raise self.fault
            return "answer"
        finally:
            self.ended += 1


async def test_a_hundred_at_once_are_one_call() -> None:
    flights, work = Flights[str](), Work()
    callers = [asyncio.create_task(flights.run("key", work)) for _ in range(100)]
    await eventually(lambda: work.begun)
    work.done.set()
    results = await asyncio.gather(*callers)
    assert work.begun == 1
    assert sorted(joined for _, joined in results) == [False] + [True] * 99
    assert {answer for answer, _ in results} == {"answer"}


async def test_another_key_is_another_call_and_so_is_a_later_one() -> None:
    flights, work = Flights[str](), Work()
    work.done.set()
    await asyncio.gather(flights.run("one", work), flights.run("two", work))
    await flights.run("one", work)
    assert work.begun == 3


async def test_the_first_caller_leaves_and_the_others_are_answered() -> None:
    flights, work = Flights[str](), Work()
    first = asyncio.create_task(flights.run("key", work))
    await eventually(lambda: work.begun)
    second = asyncio.create_task(flights.run("key", work))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    work.done.set()
    assert await second == ("answer", True)
    assert work.begun == 1


async def test_a_call_ends_when_nobody_waits_and_the_next_begins_anew() -> None:
    flights, work = Flights[str](), Work()
    callers = [asyncio.create_task(flights.run("key", work)) for _ in range(3)]
    await eventually(lambda: work.begun)
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    again = asyncio.create_task(flights.run("key", work))
    await eventually(lambda: work.begun == 2 and work.ended == 1)
    work.done.set()
    assert await again == ("answer", False)


async def test_a_fault_reaches_all_and_is_not_kept() -> None:
    flights, work = Flights[str](), Work(UpstreamError("it broke"))
    callers = [asyncio.create_task(flights.run("key", work)) for _ in range(3)]
    work.done.set()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(result) for result in results] == [UpstreamError] * 3
    work.fault = None
    assert await flights.run("key", work) == ("answer", False)


async def test_the_first_callers_little_time_is_its_own() -> None:
    flights, work = Flights[str](), Work()

    async def hurried() -> None:
        current_deadline.set(time.monotonic() + 0.05)
        with pytest.raises(UpstreamTimeout):
            await flights.run("key", work)

    first = asyncio.create_task(hurried())
    await eventually(lambda: work.begun)
    second = asyncio.create_task(flights.run("key", work))
    await first
    assert work.left is None
    work.done.set()
    assert await second == ("answer", True)
