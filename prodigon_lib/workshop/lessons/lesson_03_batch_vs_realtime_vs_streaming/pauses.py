"""A service that stops for a moment, as seen by a closed and by an open loop of load."""

import asyncio
from typing import TYPE_CHECKING

from prodigon_lib.workshop.histogram import Histogram
from prodigon_lib.workshop.load import closed_loop, open_loop
from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.targets import Target

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack

EVERY = 0.02
SLOW_SECONDS = 0.2
SECONDS = 3.0
PAUSE_AFTER, PAUSE_SECONDS = 1.0, 0.6


async def both_loops(stack: "Stack") -> tuple[LoadResult, LoadResult]:
    """Fifty requests a second for three seconds, in each of which the model service stops once.

    Returns:
        The closed loop's, in which one client waits for each answer, and the open loop's.
    """
    target = Target(f"{stack.url}/api/v1/generate", {"prompt": "What is a pause?", "max_tokens": 4})
    before = stack.simulated.get()["profile"]
    stack.simulated.set(profile="instant")
    try:
        closed, _ = await asyncio.gather(
            closed_loop(target, in_flight=1, every=EVERY, seconds=SECONDS), pause(stack)
        )
        opened, _ = await asyncio.gather(
            open_loop(target, rate=1 / EVERY, seconds=SECONDS, arrivals="even"), pause(stack)
        )
    finally:
        stack.simulated.set(profile=before)
    return closed, opened


def slow(times: Histogram) -> int:
    """How many requests took longer than a fifth of a second."""
    below = [share for time, share in times.steps() if time <= SLOW_SECONDS]
    return round(times.count * (1 - max(below, default=0.0)))


async def pause(stack: "Stack") -> None:
    """The model service hangs, as in a long collection of garbage or a slow disk, and goes on."""
    await asyncio.sleep(PAUSE_AFTER)
    await asyncio.to_thread(stack.pause, "model")
    try:
        await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await asyncio.to_thread(stack.resume, "model")
