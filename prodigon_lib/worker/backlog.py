"""How much waits, measured now and then: for the metrics, and to refuse what the queue has no room for."""

import asyncio
from dataclasses import dataclass

from prodigon_lib.core.errors import ProdigonError, RateLimited
from prodigon_lib.core.logging import get_logger
from prodigon_lib.worker.metrics import WorkerMetrics
from prodigon_lib.worker.queues.base import Queue

logger = get_logger("worker", service="worker")

EVERY_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5.0


@dataclass(slots=True)
class Backlog:
    """The bound is kept to within what all workers take in between two measurements: to count at each call
    would cost more than the call.

    Args:
        limit: prompts that may wait.
    """

    queue: Queue
    metrics: WorkerMetrics
    limit: int
    _waiting: int = 0

    def admit(self, prompts: int) -> None:
        """Count `prompts` as waiting.

        Raises:
            RateLimited: there is no room for them.
        """
        if self._waiting + prompts > self.limit:
            raise RateLimited(
                f"the queue is full: {self._waiting} prompts wait already", retry_after=RETRY_AFTER_SECONDS
            )
        self._waiting += prompts

    async def measure(self) -> None:
        depth = await self.queue.depth()
        self._waiting = depth.ready + depth.delayed
        self.metrics.depth(depth)
        self.metrics.pool(*self.queue.connections)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            try:
                await self.measure()
            except ProdigonError:
                pass  # the database is away, which was logged
            except Exception:
                logger.exception("the backlog could not be measured")
            await asyncio.sleep(EVERY_SECONDS)
