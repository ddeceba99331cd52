"""Single flight within one process: work that many want at once is done once."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from prodigon_lib.core.deadline import current_deadline, remaining
from prodigon_lib.core.errors import UpstreamTimeout

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Flight(Generic[Result]):
    task: asyncio.Task[Result]
    waiting: int = 0


class Flights(Generic[Result]):
    """The work is nobody's own: it ends when it is done, or when nobody waits for it any more.

    So a caller that leaves, or whose time is over, takes nobody along; it also has all the time that the work
    itself allows, and not what the first caller had left. A fault reaches all who wait, and is not kept.
    """

    def __init__(self) -> None:
        self._running: dict[str, Flight[Result]] = {}

    async def run(self, key: str, work: Callable[[], Coroutine[Any, Any, Result]]) -> tuple[Result, bool]:
        """The result, and whether another caller had begun it.

        Raises:
            UpstreamTimeout: this caller's time is over.
        """
        flight = self._running.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._running[key] = Flight(asyncio.create_task(without_deadline(work)))
            flight.task.add_done_callback(lambda task: self._landed(key, task))
        flight.waiting += 1
        try:
            async with asyncio.timeout(remaining()):
                return await asyncio.shield(flight.task), joined
        except TimeoutError:
            raise UpstreamTimeout("the answer took too long") from None
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._forget(key, flight.task)  # who comes now begins anew
                flight.task.cancel()

    def _landed(self, key: str, task: asyncio.Task[Result]) -> None:
        self._forget(key, task)
        if not task.cancelled():
            task.exception()  # heard, also where everybody had just left

    def _forget(self, key: str, task: asyncio.Task[Result]) -> None:
        flight = self._running.get(key)
        if flight is not None and flight.task is task:
            del self._running[key]


async def without_deadline(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    current_deadline.set(None)
    return await work()
