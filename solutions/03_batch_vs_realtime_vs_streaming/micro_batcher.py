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
        # <solution>
        self.timer: asyncio.TimerHandle | None = None
        self.calls: set[asyncio.Task[None]] = set()
        # </solution>

    async def submit(self, prompt: str) -> str:
        """The model's answer to this prompt."""
        # <gap> Let the prompt wait for others; send them when `most` are there, or the window is over.
        # | return (await self.model([prompt]))[0]
        mine: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting.append((prompt, mine))
        if len(self.waiting) == self.most:
            self.flush()
        elif self.timer is None:
            # Set by the first of a batch alone. Set again by each, it would never ring in a steady stream.
            self.timer = asyncio.get_running_loop().call_later(self.window, self.flush)
        return await mine

    def flush(self) -> None:
        """Send what waits, in a task of its own: no caller who leaves can cancel it."""
        if self.timer is not None:
            self.timer.cancel()
        batch, self.waiting, self.timer = self.waiting, [], None
        call = asyncio.create_task(self.send(batch))
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        # </gap>

    async def send(self, batch: list[Waiting]) -> None:
        """Ask the model, and give each caller their answer, or the error that is theirs."""
        # <gap> Ask in one call. When it is refused, find out whose prompt is to blame.
        try:
            answers = await self.model([prompt for prompt, _ in batch])
        except ValueError as refusal:
            if len(batch) == 1:
                settle(batch[0][1], refusal)
                return
            # Halves find one bad prompt among n in about log n rounds; each one alone is simpler, in n calls.
            middle = len(batch) // 2
            await asyncio.gather(self.send(batch[:middle]), self.send(batch[middle:]))
        except Exception as error:
            for _, future in batch:
                settle(future, error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                settle(future, answer)
        # </gap>


def settle(future: asyncio.Future[str], outcome: str | Exception) -> None:
    """Give a caller the outcome, if they still wait."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
