"""Little's law in a service's own metrics."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import aiohttp

from prodigon_lib.workshop.load import open_loop
from prodigon_lib.workshop.look import BLUE, FAINT, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.scrape import scrape
from prodigon_lib.workshop.targets import Target

ROUTE = "/api/v1/generate"
BODY = {"prompt": "What is a queue?", "max_tokens": 24}
WARM_SECONDS, SECONDS = 0.6, 2.0
LOOK_EVERY = 0.04


@dataclass(frozen=True)
class Observed:
    """Of some seconds, all from `/metrics`: answers a second, seconds each, and how many were under way."""

    rate: float
    latency: float
    in_flight: float

    @property
    def law(self) -> float:
        """What Little's law says of how many are under way."""
        return self.rate * self.latency


async def observe(url: str, rate: float) -> Observed:
    """Send `rate` requests a second to the gateway, and look at its metrics in the middle of it."""
    target = Target(f"{url}{ROUTE}", BODY)
    load = asyncio.create_task(
        open_loop(target, rate=rate, seconds=WARM_SECONDS + SECONDS + 0.3, arrivals="even")
    )
    await asyncio.sleep(WARM_SECONDS)
    looks = []
    async with aiohttp.ClientSession() as session:
        first = last = await scrape(url, session)
        while last.at - first.at < SECONDS:
            await asyncio.sleep(LOOK_EVERY)
            last = await scrape(url, session)
            looks.append(last.value("prodigon_http_requests_in_flight") - 1)  # but for the look itself
    await load
    seconds = "prodigon_http_request_seconds"
    answers = last.value(f"{seconds}_count", route=ROUTE) - first.value(f"{seconds}_count", route=ROUTE)
    spent = last.value(f"{seconds}_sum", route=ROUTE) - first.value(f"{seconds}_sum", route=ROUTE)
    return Observed(answers / (last.at - first.at), spent / answers, mean(looks))


def law_plot(observed: Sequence[Observed], guesses: Sequence[tuple[float, float]]) -> Picture:
    """How many were under way, against rate times latency; on the line the law holds.

    Args:
        guesses: pairs of a law's value and what a learner expected to be under way.
    """
    plot = Plot(height=3.4)
    (axes,) = plot.axes
    most = 1.15 * max(*(each.law for each in observed), *(each.in_flight for each in observed))
    axes.plot([0, most], [0, most], color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), label="Little's law")
    axes.plot(
        [each.law for each in observed],
        [each.in_flight for each in observed],
        "o",
        color=BLUE,
        label="measured",
    )
    if guesses:
        axes.plot(*zip(*guesses, strict=True), "x", color=ORANGE, markersize=8, label="your guess")
    axes.set(xlabel="answers a second × seconds each", ylabel="requests under way", xlim=(0, None))  # noqa: RUF001 a product
    axes.set_ylim(0, None)
    axes.legend(loc="upper left")
    plot.title("In flight = rate × latency")  # noqa: RUF001 a product
    words = "; ".join(f"{each.in_flight:.3g} under way, the law says {each.law:.3g}" for each in observed)
    return plot.finish(f"In flight is rate times latency. {words}")
