"""A page that needs several calls and waits for all, on a model service that is now and then slow or down."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.targets import Answer

AT_ONCE = 6
QUESTION = {"prompt": "What is a tail?", "max_tokens": 8}


@dataclass(frozen=True)
class FanOut:
    """Pages that made `size` calls each."""

    size: int
    load: LoadResult

    def slow(self, seconds: float) -> float:
        """The share of the whole pages that took longer."""
        whole = self.load.answered
        return sum(sample.service_time > seconds for sample in whole) / len(whole)

    @property
    def failed(self) -> float:
        return 1 - len(self.load.answered) / len(self.load.samples)


async def pages(url: str, sizes: Sequence[int], *, count: int = 150) -> list[FanOut]:
    """`count` pages of each size, six under way at once; one call that fails fails its page."""
    async with aiohttp.ClientSession() as session:

        async def call() -> None:
            async with session.post(f"{url}/inference", json=QUESTION) as answer:
                await answer.read()
                answer.raise_for_status()

        found = []
        for size in sizes:

            async def page(_: int, size: int = size) -> Answer:
                await asyncio.gather(*(call() for _ in range(size)))
                return Answer(200)

            found.append(FanOut(size, await closed_loop(page, in_flight=AT_ONCE, count=count)))
        return found


def expected(share: float, sizes: Sequence[int]) -> Mapping[int, float]:
    """Of pages, how many meet at least one call of those that are `share` of all: 1 - (1 - share)^n."""
    return {size: 1 - (1 - share) ** size for size in sizes}
