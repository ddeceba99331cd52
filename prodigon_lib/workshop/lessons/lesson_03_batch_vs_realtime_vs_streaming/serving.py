"""Ways to serve prompts with one simulated model, on a virtual clock: minutes pass in a second."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate

from prodigon_lib.core.schemas.generate import GenerateRequest
from prodigon_lib.model.providers.simulated.clock import VirtualClock
from prodigon_lib.model.providers.simulated.profiles import ProfileName
from prodigon_lib.model.providers.simulated.provider import SimulatedProvider

MODEL = ProfileName.LARGE.value
TOKENS = 32
QUESTIONS = [f"What is {topic}?" for topic in ("a lease", "a queue", "back-pressure", "a micro-batch")]
LOOK_EVERY = 0.05


class Bench:
    """A model alone on its clock. `inside` counts the prompts that arrived and have no answer yet."""

    def __init__(self, seed: int = 0) -> None:
        self.clock = VirtualClock()
        self.model = SimulatedProvider(clock=self.clock)
        self.chance = random.Random(seed)
        self.calls = self.inside = 0

    async def complete(self, number: int) -> None:
        """One prompt, to a model that takes more into its batch while it runs (continuous batching)."""
        request = GenerateRequest(prompt=QUESTIONS[number % len(QUESTIONS)], max_tokens=TOKENS)
        await self.model.complete(request, MODEL)

    @contextmanager
    def counted(self) -> Iterator[None]:
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


Serve = Callable[[int], Awaitable[None]]
"""Returns when prompt number n has its answer."""
Way = Callable[[Bench], Serve]


def straight(bench: Bench) -> Serve:
    """Real-time: each prompt goes to the model at once."""
    return bench.complete


def one_by_one(bench: Bench) -> Serve:
    """Real-time, to a model that takes one call at a time."""
    busy = asyncio.Lock()

    async def serve(number: int) -> None:
        async with busy:
            await bench.complete(number)

    return serve


def micro_batches(window: float, most: int = 16) -> Way:
    """To the same model, many in a call: `most`, or what came within `window` seconds of the first."""

    def way(bench: Bench) -> Serve:
        arrived: asyncio.Queue[tuple[int, asyncio.Future[None]]] = asyncio.Queue()
        tasks: list[asyncio.Task[None]] = []

        async def run() -> None:
            while True:
                batch = [await arrived.get()]
                try:
                    async with asyncio.timeout(window):
                        while len(batch) < most:
                            batch.append(await arrived.get())
                except TimeoutError:
                    while arrived.qsize() and len(batch) < most:
                        batch.append(arrived.get_nowait())
                bench.calls += 1
                await asyncio.gather(*(bench.complete(number) for number, _ in batch))
                for _, answered in batch:
                    answered.set_result(None)

        async def serve(number: int) -> None:
            if not tasks:
                tasks.append(asyncio.create_task(run()))
            answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            arrived.put_nowait((number, answered))
            await answered

        return serve

    return way


def queued(places: int = 16) -> Way:
    """A queue before the model, and as many prompts at once as a worker has places."""

    def way(bench: Bench) -> Serve:
        free = asyncio.Semaphore(places)

        async def serve(number: int) -> None:
            async with free:
                await bench.complete(number)

        return serve

    return way


@dataclass(frozen=True)
class Run:
    """What was measured at one rate. `stays` is how long each prompt was inside, in seconds."""

    way: str
    rate: float
    stays: list[float]
    seconds: float
    inside: list[int] = field(repr=False)
    """How many were inside, each time somebody looked."""

    @property
    def p99(self) -> float:
        return sorted(self.stays)[int(len(self.stays) * 0.99)]

    @property
    def throughput(self) -> float:
        return len(self.stays) / self.seconds

    @property
    def mean_stay(self) -> float:
        return sum(self.stays) / len(self.stays)

    @property
    def mean_inside(self) -> float:
        return sum(self.inside) / len(self.inside)


def measure(name: str, way: Way, rate: float, count: int = 300) -> Run:
    """`count` prompts, which come as independent people do, `rate` a second on average; 0: all at once."""
    bench = Bench(seed=count)
    gaps = [bench.chance.expovariate(rate) if rate else 0.0 for _ in range(count)]
    looks: list[int] = []

    async def one(number: int, moment: float, serve: Serve) -> float:
        await bench.clock.sleep_until(moment)
        with bench.counted():
            await serve(number)
        return bench.clock.now() - moment

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            looks.append(bench.inside)

    async def run() -> list[float]:
        serve = way(bench)
        looking = asyncio.create_task(look())
        people = (one(number, moment, serve) for number, moment in enumerate(accumulate(gaps)))
        stays = await asyncio.gather(*people)
        looking.cancel()
        return list(stays)

    stays = bench.clock.run(run())
    return Run(name, rate, stays, bench.clock.now(), looks)


@dataclass(frozen=True)
class Sharing:
    """How a model does with so many prompts in flight all the time."""

    in_flight: int
    tokens_per_second: float
    first_token: float

    @property
    def each(self) -> float:
        return self.tokens_per_second / self.in_flight


def share(in_flight: int, rounds: int = 4) -> Sharing:
    """Keep so many streams in flight, `rounds` after each other."""
    bench = Bench()
    firsts: list[float] = []

    async def reader(place: int) -> None:
        for turn in range(rounds):
            asked, first = bench.clock.now(), None
            prompt = QUESTIONS[(place + turn) % len(QUESTIONS)]
            async for item in bench.model.stream(GenerateRequest(prompt=prompt, max_tokens=TOKENS), MODEL):
                if isinstance(item, str) and first is None:
                    first = bench.clock.now() - asked
            firsts.append(first or 0.0)

    async def run() -> None:
        await asyncio.gather(*(reader(place) for place in range(in_flight)))

    bench.clock.run(run())
    tokens = in_flight * rounds * TOKENS
    return Sharing(in_flight, tokens / bench.clock.now(), sum(firsts) / len(firsts))
