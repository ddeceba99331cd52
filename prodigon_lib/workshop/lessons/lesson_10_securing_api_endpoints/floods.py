"""A good user while somebody floods, and how much of it gets past a limit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prodigon_lib.workshop.comparison_plots import paired_bars
from prodigon_lib.workshop.load import open_loop
from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.picture import Picture
from prodigon_lib.workshop.scrape import scrape
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Answer, Target, Targets

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack

GOOD, ATTACKER = "198.51.100.7", "203.0.113.9"
"""Of the networks that are kept for documentation."""

GOOD_RATE, FLOOD_RATE, SECONDS = 10.0, 150.0, 3.0
ASKED = {"prompt": "What is a flood?", "max_tokens": 16}
LIMIT = 20
"""Requests a second that an address may send: twice the good user's, a part of the flood's."""

ACCOUNT = 100
"""Requests a minute that the provider allows, for each of the two models that are tried. The good user
and one limited flood stay below it; three limits' worth of a flood do not."""


@dataclass(frozen=True)
class Flooded:
    """What both got, under the name of what stood between them.

    Args:
        stopped: requests that a limit for addresses has refused.
    """

    name: str
    good: LoadResult
    flood: LoadResult
    stopped: int

    @property
    def let_past(self) -> int:
        """Requests of the flood that no limit of ours refused."""
        return len(self.flood.samples) - self.stopped

    @property
    def served(self) -> float:
        """The share of the good user's requests that were answered."""
        return len(self.good.answered) / len(self.good.samples)

    def waits(self, percent: float) -> float:
        """What the good user waits for an answer, in milliseconds."""
        return 1000 * self.good.response_times().percentile(percent)


async def flooded(stack: "Stack", name: str) -> Flooded:
    """A good user and a flood at once for some seconds, dealt out to all gateways in turn.

    We stand where the balancer would: the gateways believe what we say of our callers' addresses.
    """
    urls = [url for key, url in stack.urls.items() if key.partition("-")[0] == "gateway"]
    await asyncio.to_thread(stack.simulated.set, limits={"requests_per_minute": ACCOUNT})
    try:
        before = await refused(urls)
        async with AsyncExitStack() as ends:
            kind, rude = [await dealt(ends, urls, address) for address in (GOOD, ATTACKER)]
            good, flood = await asyncio.gather(
                open_loop(kind, rate=GOOD_RATE, seconds=SECONDS, arrivals="even"),
                open_loop(rude, rate=FLOOD_RATE, seconds=SECONDS),
            )
        return Flooded(name, good, flood, await refused(urls) - before)
    finally:
        await asyncio.to_thread(stack.simulated.set, limits={})


async def refused(urls: Sequence[str]) -> int:
    """Requests that the gateways' limits have refused since they started."""
    scrapes = await asyncio.gather(*map(scrape, urls))
    return round(sum(each.value("prodigon_rate_limited_total") for each in scrapes))


async def dealt(
    ends: AsyncExitStack, urls: Sequence[str], address: str
) -> Callable[[int], Awaitable[Answer]]:
    """A call that goes to each gateway in turn, for a caller of this address."""
    targets = [
        await ends.enter_async_context(
            Targets(Target(f"{url}/api/v1/generate", ASKED, headers={"X-Forwarded-For": address}))
        )
        for url in urls
    ]

    async def call(number: int) -> Answer:
        return await targets[number % len(targets)].send(number)

    return call


def served_plot(runs: Sequence[Flooded], *, guesses: Mapping[str, float]) -> Picture:
    """What the good user got, beside what was expected."""
    rows = {run.name: [100 * guesses[run.name], 100 * run.served] for run in runs}
    title = "What the good user gets answered"
    return paired_bars(rows, names=["your guess", "measured"], unit="per cent", title=title)


def waits_plot(runs: Sequence[Flooded]) -> Picture:
    rows = {run.name: [run.waits(percent) for percent in (50, 99)] for run in runs}
    title = "What the good user waits for what is answered"
    return paired_bars(rows, names=["p50", "p99"], unit="milliseconds", title=title)


def floods_table(runs: Sequence[Flooded]) -> Table:
    columns = ["limiter", "flood sent", "let past it", "good user sent", "answered", "p50, ms", "p99, ms"]
    rows = [
        (run.name, len(run.flood.samples), run.let_past, len(run.good.samples), len(run.good.answered),
         run.waits(50), run.waits(99))
        for run in runs
    ]  # fmt: skip
    return Table(columns, rows)
