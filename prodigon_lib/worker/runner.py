"""The worker's loop: claim, run, record; keep leases alive; take back those of workers that died."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.ids import JobId
from prodigon_lib.core.logging import get_logger
from prodigon_lib.worker.metrics import WorkerMetrics
from prodigon_lib.worker.pause import Pause
from prodigon_lib.worker.prompts import Outcome, PromptRunner
from prodigon_lib.worker.queues.base import Claim, Queue
from prodigon_lib.worker.recorder import Recorder, Release
from prodigon_lib.worker.settings import WorkerSettings

logger = get_logger("worker", service="worker")

REST_SECONDS = (0.1, 2.0)
"""Between two tries while the queue is away: at first, and at most."""
PRUNE_EVERY_SECONDS = 60.0
PRUNE_AT_ONCE = 100
"""Jobs, each with its prompts, so that no lock is held for long."""
RECORD_SECONDS = 2.0
"""Of the shutdown, what is kept at most for giving back prompts that did not end in time."""


@dataclass(slots=True)
class Running:
    """A slot in use: from the claim until its outcome is written."""

    claim: Claim
    task: asyncio.Task[Outcome]
    begun: float


@dataclass(slots=True)
class Runner:
    """Runs prompts from `start` to `stop`."""

    queue: Queue
    prompts: PromptRunner
    pause: Pause
    settings: WorkerSettings
    metrics: WorkerMetrics
    _running: dict[Claim, Running] = field(default_factory=dict)
    _loops: list[asyncio.Task[None]] = field(default_factory=list)
    _claiming: asyncio.Task[None] | None = None
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _draining: asyncio.Event = field(default_factory=asyncio.Event)
    _recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self._recorder = Recorder(self.queue, self.metrics, self._free)
        self.queue.on_cancelled(self._cancel_job)

    def start(self) -> None:
        lease = self.settings.lease_seconds
        self._claiming = asyncio.create_task(self._claim_until_drained())
        self._loops = [
            asyncio.create_task(self._recorder.run()),
            asyncio.create_task(every(lease / 3, self._extend)),
            asyncio.create_task(every(lease / 4, self._reap)),
            asyncio.create_task(every(PRUNE_EVERY_SECONDS, self._prune)),
        ]

    def drain(self) -> None:
        """Claim nothing more. What runs goes on."""
        self._draining.set()
        self._room.set()
        self.queue.wake()

    async def stop(self) -> None:
        """Drain: what runs may end within `shutdown_seconds`, the rest is given back at once."""
        self.drain()
        end = time.monotonic() + self.settings.shutdown_seconds
        to_record = min(RECORD_SECONDS, self.settings.shutdown_seconds / 4)
        if self._claiming is not None:
            await settle_within(end - time.monotonic(), [self._claiming])
        await settle_within(
            end - to_record - time.monotonic(), [slot.task for slot in self._running.values()]
        )
        for slot in self._running.values():
            slot.task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(to_record, end - time.monotonic())):
                while self._running:
                    self._room.clear()
                    await self._room.wait()
        if self._running:
            logger.warning("prompts wait for their leases to end", count=len(self._running))
        tasks: list[asyncio.Task[Any]] = [*self._loops, *(slot.task for slot in self._running.values())]
        tasks += [self._claiming] if self._claiming else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _claim_until_drained(self) -> None:
        rest, longest = REST_SECONDS
        while not self._draining.is_set():
            try:
                await self._claim()
                rest = REST_SECONDS[0]
            except ProdigonError:  # the queue is away, which it has logged
                await self._rest(rest)
                rest = min(2 * rest, longest)
            except Exception:
                logger.exception("claiming failed")
                await self._rest(longest)

    async def _claim(self) -> None:
        """Claim what there is room for, and start it; else wait for room, or for work."""
        begun = [slot.begun for slot in self._running.values()]
        free = max(0, self.prompts.concurrency.allowed - len(begun))
        room = self.pause.room(free, begun)
        if room == 0:
            self._room.clear()
            await wait_for(self._room, self._until_room(bool(begun)))
            return
        claims = await self.queue.claim(self.settings.worker_name, room, self.settings.lease_seconds)
        for claim in claims:
            self._start(claim)
        if not claims and not self._draining.is_set():
            await self.queue.wait_for_work(self.settings.poll_seconds)

    def _until_room(self, running: bool) -> float | None:
        """Seconds, or `None` when a prompt that ends will say so; the end of a pause says nothing."""
        if left := self.pause.seconds_left():
            return left
        return None if running else 0.0

    def _start(self, claim: Claim) -> None:
        task = asyncio.create_task(self.prompts.run(claim))
        task.add_done_callback(lambda ended: self._ended(claim, ended))
        self._running[claim] = Running(claim, task, self.pause.clock())
        self.metrics.running.set(len(self._running))

    def _ended(self, claim: Claim, task: asyncio.Task[Outcome]) -> None:
        # A callback, since a task that is cancelled before its first step never runs a line of its own.
        if task.cancelled():
            # By a drain that ran out of time, or as the lease is gone: then giving it back changes nothing.
            self._recorder.add(Release(claim))
        else:
            self._recorder.add(task.result())
        self.metrics.paused.set(self.pause.on)
        self.metrics.allowed.set(self.prompts.concurrency.allowed)

    def _free(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self._running.pop(claim, None)
        self.metrics.running.set(len(self._running))
        self._room.set()

    def _cancel_job(self, job: JobId) -> None:
        for slot in self._running.values():
            if slot.claim.job == job:
                slot.task.cancel()

    async def _extend(self) -> None:
        claims = list(self._running)
        if not claims:
            return
        held = set(await self.queue.extend(claims, self.settings.lease_seconds))
        for claim in claims:
            if claim not in held and claim in self._running:
                self._running[claim].task.cancel()

    async def _reap(self) -> None:
        reaped = await self.queue.reap(self.settings.max_attempts)
        if reaped.released or reaped.failed:
            logger.warning(
                "took back prompts whose worker was lost", released=reaped.released, failed=reaped.failed
            )
        self.metrics.reaped.inc(reaped.released + reaped.failed)
        self.metrics.prompts.labels("failed").inc(reaped.failed)
        self.metrics.finished(reaped.finished)

    async def _prune(self) -> None:
        """Delete what is older than the setting allows, a few jobs a transaction."""
        if self.settings.retention_days is None:
            return
        age, gone = self.settings.retention_days * 86400, PRUNE_AT_ONCE
        while gone == PRUNE_AT_ONCE and not self._draining.is_set():
            gone = await self.queue.prune(age, PRUNE_AT_ONCE)
            self.metrics.pruned.inc(gone)

    async def _rest(self, seconds: float) -> None:
        await wait_for(self._draining, seconds)


async def wait_for(event: asyncio.Event, seconds: float | None) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def settle_within(seconds: float, tasks: Sequence[asyncio.Task[Any]]) -> None:
    if tasks and seconds > 0:
        await asyncio.wait(tasks, timeout=seconds)


async def every(seconds: float, call: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled; with jitter, so that workers that started together do not ask together."""
    while True:
        await asyncio.sleep(seconds * random.uniform(0.8, 1.0))
        try:
            await call()
        except ProdigonError:
            pass  # the queue is away, which it has logged
        except Exception:
            logger.exception("the worker's housekeeping failed")
