"""Writes outcomes to the queue, as many at once as there are.

While one batch is on its way the next one gathers, so that a busy worker writes large batches, and an idle
one writes at once. What can't be written, since the queue is away, is kept and tried again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.logging import get_logger
from prodigon_lib.worker.metrics import WorkerMetrics
from prodigon_lib.worker.queues.base import Claim, Completion, Failure, Queue, Retry, Settled

logger = get_logger("worker", service="worker")

TRY_AGAIN_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Release:
    """Given back unrun."""

    claim: Claim


Outcome = Completion | Failure | Retry | Release


@dataclass(slots=True)
class Recorder:
    """Args: `recorded` is called with the claims of each batch, once it is written."""

    queue: Queue
    metrics: WorkerMetrics
    recorded: Callable[[Sequence[Claim]], None]
    _waiting: list[Outcome] = field(default_factory=list)
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, outcome: Outcome) -> None:
        self._waiting.append(outcome)
        self._some.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            batch, self._waiting = self._waiting, []
            for kind in (Completion, Failure, Retry, Release):
                if outcomes := [outcome for outcome in batch if type(outcome) is kind]:
                    await self._record(outcomes)

    async def _record(self, outcomes: Sequence[Outcome]) -> None:
        try:
            await self._write(outcomes)
        except Exception:
            # One that can't be written must not take the others along.
            logger.exception("outcomes could not be recorded", count=len(outcomes))
            if len(outcomes) > 1:
                for outcome in outcomes:
                    await self._record([outcome])
                return
        self.recorded([outcome.claim for outcome in outcomes])

    async def _write(self, outcomes: Sequence[Outcome]) -> None:
        while True:
            try:
                settled = await self._call(outcomes)
                break
            except ProdigonError as error:
                if not error.retryable:
                    raise
                await asyncio.sleep(TRY_AGAIN_SECONDS)
        self._count(outcomes, settled)

    async def _call(self, outcomes: Sequence[Outcome]) -> Settled:
        match outcomes[0]:
            case Completion():
                return await self.queue.complete([each for each in outcomes if isinstance(each, Completion)])
            case Failure():
                return await self.queue.fail([each for each in outcomes if isinstance(each, Failure)])
            case Retry():
                return await self.queue.retry([each for each in outcomes if isinstance(each, Retry)])
            case Release():
                return await self.queue.release([each.claim for each in outcomes])

    def _count(self, outcomes: Sequence[Outcome], settled: Settled) -> None:
        name = NAMES[type(outcomes[0])]
        kept = [outcome.claim for outcome in outcomes if outcome.claim in settled.kept]
        self.metrics.prompts.labels(name).inc(len(kept))
        if lost := len(outcomes) - len(kept):
            # Also after a fault in mid-write: it was written, and the second try found no lease any more.
            logger.info("outcomes were dropped: their leases were gone", outcome=name, count=lost)
            self.metrics.prompts.labels("lost").inc(lost)
        if name in ("completed", "failed"):
            for claim in kept:
                self.metrics.attempts.observe(claim.attempt)
        self.metrics.finished(settled.finished)


NAMES: dict[type[Outcome], str] = {
    Completion: "completed",
    Failure: "failed",
    Retry: "retried",
    Release: "released",
}
