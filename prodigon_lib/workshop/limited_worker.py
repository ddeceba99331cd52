"""The real worker before a model with a rate limit, on a virtual clock: minutes of work in a second."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from statistics import median

from prodigon_lib.core.errors import ProdigonError, RateLimited
from prodigon_lib.core.http.application import Service
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, ModelCard, Usage
from prodigon_lib.core.schemas.jobs import JobSubmission
from prodigon_lib.core.settings import LogLevel
from prodigon_lib.model.providers.simulated.clock import VirtualClock
from prodigon_lib.model.providers.simulated.controls import Controls, Limits
from prodigon_lib.model.providers.simulated.profiles import ProfileName
from prodigon_lib.model.providers.simulated.provider import SimulatedProvider
from prodigon_lib.worker.collaborators import collaborators
from prodigon_lib.worker.concurrency import Concurrency
from prodigon_lib.worker.queues.memory import MemoryQueue
from prodigon_lib.worker.settings import QueueType, WorkerSettings

LOOK_EVERY = 0.5
MOST_IN_A_JOB = 100
MODEL = ProfileName.LARGE.value


class FixedConcurrency(Concurrency):
    """The naive one: what its setting says, whatever the model says."""

    def refused(self, error: ProdigonError) -> None:
        """Learns nothing from it."""


class LimitedModel:
    """A `ModelClient` over a simulated model that allows so many requests a minute; counts."""

    def __init__(self, clock: VirtualClock, per_minute: int) -> None:
        limits = Limits(requests_per_minute=per_minute)
        self._provider = SimulatedProvider(Controls(limits=limits), clock=clock)
        self._clock = clock
        self.counts: Counter[str] = Counter()
        self.in_flight = 0
        self.latencies: list[float] = []

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        self.counts["calls"] += 1
        self.in_flight += 1
        began = self._clock.now()
        try:
            answer = await self._provider.complete(request, MODEL)
        except RateLimited:
            self.counts["refused"] += 1
            raise
        finally:
            self.in_flight -= 1
        self.latencies.append(self._clock.now() - began)
        milliseconds = 1000 * self.latencies[-1]
        return GenerateResponse(text=answer.text, model=MODEL, usage=answer.usage, latency_ms=milliseconds)

    async def forward(self, body: bytes) -> bytes:
        raise NotImplementedError("a worker forwards nothing")

    def forward_stream(self, body: bytes) -> AsyncGenerator[bytes]:
        raise NotImplementedError("a worker streams nothing")

    def stream(self, request: GenerateRequest) -> AsyncGenerator[str | Usage]:
        raise NotImplementedError("a worker streams nothing")

    async def models(self) -> list[ModelCard]:
        return []


@dataclass(frozen=True)
class LimitedRun:
    """What became of the prompts; times in virtual seconds.

    Args:
        latency: the median of the last quarter of the calls that were answered.
        best: how long they must take at least: a minute's worth at once, the others at the limit's rate.
        looks: now and then, how many were allowed at once.
    """

    places: int
    prompts: int
    seconds: float
    best: float
    calls: int
    refused: int
    failed: int
    latency: float
    looks: list[tuple[float, int]] = field(repr=False)

    @property
    def rate(self) -> float:
        """Prompts answered a second."""
        return (self.prompts - self.failed) / self.seconds


def run_limited(
    prompts: int, *, places: int, per_minute: int, tokens: int = 64, adapts: bool = True
) -> LimitedRun:
    """Jobs with so many prompts in all, run by a worker with `WORKER_CONCURRENCY=places`.

    Args:
        adapts: else the worker keeps to the setting, as the naive one does.
    """
    clock = VirtualClock()
    model = LimitedModel(clock, per_minute)
    looks: list[tuple[float, int]] = []
    settings = WorkerSettings(
        _env_file=None, queue_type=QueueType.MEMORY, worker_concurrency=places, log_level=LogLevel.ERROR
    )
    parts = collaborators(Service("worker", settings), settings, model=model, queue=MemoryQueue(clock.now))
    prompting = parts.runner.prompts
    parts.runner.pause.clock = clock.now
    if not adapts:
        prompting.concurrency = FixedConcurrency(places)

    async def run() -> int:
        async with parts.opened():
            texts = [f"What is question {number}?" for number in range(prompts)]
            jobs = [
                await parts.jobs.submit(
                    DEFAULT_USER_ID,
                    JobSubmission(prompts=texts[place : place + MOST_IN_A_JOB], max_tokens=tokens),
                    None,
                )
                for place in range(0, prompts, MOST_IN_A_JOB)
            ]
            while True:
                await asyncio.sleep(LOOK_EVERY)
                looks.append((clock.now(), prompting.concurrency.allowed))
                views = [await parts.jobs.get(DEFAULT_USER_ID, JobId(job.job_id)) for job in jobs]
                if all(view.status.finished for view in views):
                    return sum(len(view.errors) for view in views)

    failed = clock.run(run())
    return LimitedRun(
        places=places,
        prompts=prompts,
        seconds=looks[-1][0],
        best=max(0.0, prompts - per_minute) * 60 / per_minute,
        calls=model.counts["calls"],
        refused=model.counts["refused"],
        failed=failed,
        latency=median(model.latencies[-len(model.latencies) // 4 :]),
        looks=looks,
    )
