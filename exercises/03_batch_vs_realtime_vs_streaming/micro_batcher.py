"""Exercise 3.1: a micro-batcher.

Callers submit one prompt each, and the model answers many in one call for nearly the price of one. Bring them
together. Done when

- a burst of n prompts costs at most n / `most` calls, rounded up, and no call has more than `most` prompts;
- every caller gets the answer to their own prompt, also when two ask the same;
- a prompt waits for company for `window` seconds at most, however many others come meanwhile;
- a prompt that the model refuses (`ValueError`, for the whole call it was in) fails for its own caller alone;
- a caller who leaves, as one does whose timeout is over, takes nobody along.
"""

import asyncio
from collections.abc import Awaitable, Callable

Model = Callable[[list[str]], Awaitable[list[str]]]
Waiting = tuple[str, asyncio.Future[str]]


class MicroBatcher:
    """Sends prompts to `model` together: `most` at once, or what came within `window` seconds."""

    def __init__(self, model: Model, *, most: int, window: float) -> None:
        self.model, self.most, self.window = model, most, window
        self.waiting: list[Waiting] = []

    async def submit(self, prompt: str) -> str:
        """The model's answer to this prompt."""
        # TODO Let the prompt wait for others; send them when `most` are there, or the window is over.
        return (await self.model([prompt]))[0]

    async def send(self, batch: list[Waiting]) -> None:
        """Ask the model, and give each caller their answer, or the error that is theirs."""
        # TODO Ask in one call. When it is refused, find out whose prompt is to blame.
        raise NotImplementedError


def settle(future: asyncio.Future[str], outcome: str | Exception) -> None:
    """Give a caller the outcome, if they still wait."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
