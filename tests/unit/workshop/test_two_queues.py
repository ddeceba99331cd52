"""Lesson 8's comparison ends whatever its queues do."""

import asyncio
from collections.abc import Sequence

import pytest

from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.core.schemas.jobs import JobView
from prodigon_lib.worker.queues.base import Claim, NewJob
from prodigon_lib.worker.queues.memory import MemoryQueue
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching.two_queues import (
    CALLERS,
    KILL_AFTER,
    pick_up_seconds,
    what_is_left,
)


class Counting(MemoryQueue):
    def __init__(self) -> None:
        super().__init__()
        self.enqueued = 0

    async def enqueue(self, jobs: Sequence[NewJob]) -> list[JobView]:
        await asyncio.sleep(0)
        self.enqueued += 1
        assert self.enqueued < 10_000, "the lanes go on and on"
        return await super().enqueue(jobs)


class Failing(MemoryQueue):
    """Takes a few jobs, and gives none out."""

    async def enqueue(self, jobs: Sequence[NewJob]) -> list[JobView]:
        if (await self.depth()).ready >= KILL_AFTER // 2:
            raise UpstreamUnavailable("the queue is away")
        return await super().enqueue(jobs)

    async def claim(self, worker: str, limit: int, lease: float) -> list[Claim]:
        raise UpstreamUnavailable("the queue is away")


async def test_lanes_that_meet_nothing_of_a_kill_end_after_it() -> None:
    queue, before = Counting(), 0

    def kill() -> None:
        nonlocal before
        before = queue.enqueued

    async with asyncio.timeout(30):
        accepted, found, _ = await what_is_left(queue, kill)
    assert accepted == found == queue.enqueued >= KILL_AFTER
    assert queue.enqueued > before >= KILL_AFTER


async def test_calls_that_fail_before_the_kill_are_told() -> None:
    async with asyncio.timeout(30):
        with pytest.raises(ExceptionGroup) as raised:
            await what_is_left(Failing(), lambda: pytest.fail("nothing was to be killed yet"))
    assert 0 < len(raised.value.exceptions) <= CALLERS
    assert raised.group_contains(UpstreamUnavailable, match="the queue is away")


async def test_a_worker_that_fails_is_told() -> None:
    async with asyncio.timeout(30):
        with pytest.raises(ExceptionGroup) as raised:
            await pick_up_seconds(Failing())
    assert raised.group_contains(UpstreamUnavailable)
