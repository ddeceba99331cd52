"""A bounded fan-out."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from prodigon_lib.workshop.checks import Attempt, CallCounter, Check, Findings
from prodigon_lib.workshop.checks.virtual_time import run_virtually

HINTS = (
    "Cutting the items into groups of `limit` makes each group wait for its slowest. Let `limit` workers take"
    " the next item each, as soon as they are free; an iterator that all of them share gives each item to one"
    " of them.",
    "gather raises the first error and lets the others run on, with nobody to wait for them. A TaskGroup"
    " cancels them, waits until they have ended, and only then raises: an ExceptionGroup, whose first member"
    " is what the caller wants.",
    'Around the call: except Exception as error, then raise it for errors="raise", else store it. Around the'
    " TaskGroup: except* Exception as several, keep several.exceptions[0], and raise that after the block,"
    " not inside of it.",
)
SHORT, LONG = 0.1, 1.0
MOST_OF_IDEAL = 1.5
PATIENCE = 100.0
"""Virtual seconds: far beyond what all calls take one after the other."""
CLEAN_UP = 0.05

Call = Callable[[Any], Awaitable[Any]]


class Refused(Exception):
    """What a call raises, to be known again."""


class Leftovers:
    """What a run left behind: tasks, and errors that nobody looked at."""

    def __init__(self) -> None:
        self.before = asyncio.all_tasks()
        self.unseen: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.unseen.append(str(context["message"]))
        )

    def tasks(self) -> int:
        return len(asyncio.all_tasks() - self.before)

    def errors(self) -> int:
        gc.collect()
        return sum("never retrieved" in message for message in self.unseen)


class FanOutCheck(Check):
    seconds = 15

    def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        self.fan_out: Callable[..., Coroutine[Any, Any, list[Any]]] = attempt.get("fan_out")
        self.limit = attempt.random.randint(4, 6)
        for part in (self.all_well, self.kept, self.raised, self.cancelled):
            run_virtually(part())

    async def ended(self, what: str, work: Coroutine[Any, Any, list[Any]]) -> list[Any]:
        return await self.findings.finishes(
            what, work, within=PATIENCE, step="Each item is called once, and then the call must return."
        )

    def nothing_left(self, what: str, leftovers: Leftovers) -> None:
        with self.findings.together():
            self.findings.equal(
                f"tasks left, {what}", leftovers.tasks(), 0,
                step="Wait for every task that you started, also for those that you cancelled.",
            )  # fmt: skip
            self.findings.equal(
                f"errors that nobody looked at, {what}", leftovers.errors(), 0,
                step="Await each task, or ask it for its exception: else its error is lost.",
            )  # fmt: skip

    async def all_well(self) -> None:
        """Sixty calls, a quarter of them long, in any order."""
        loop, leftovers = asyncio.get_running_loop(), Leftovers()
        seconds = [LONG] * 15 + [SHORT] * 45
        self.attempt.random.shuffle(seconds)
        items = [(self.attempt.token(), each) for each in seconds]

        async def answer(item: tuple[str, float]) -> str:
            await asyncio.sleep(item[1])
            return item[0].upper()

        call, began = CallCounter(answer), loop.time()
        results = await self.ended("60 calls", self.fan_out(call, items, limit=self.limit))
        took, ideal = loop.time() - began, sum(seconds) / self.limit
        with self.findings.together():
            self.findings.equal(
                "results, in the order of the items", results, [word.upper() for word, _ in items],
                step="Put each result at its item's place, whenever it comes.",
            )  # fmt: skip
            self.findings.equal(
                "calls", call.calls, len(items), step="Call once for each item.",
            )  # fmt: skip
            self.findings.at_most(
                f"calls under way at once, with limit={self.limit}", call.peak, self.limit,
                step="Hold a place while a call is under way: a worker, or a semaphore.",
            )  # fmt: skip
            self.findings.at_most(
                "time, of what it takes at least", took / ideal, MOST_OF_IDEAL, unit="times",
                step="Use a free place at once: groups wait for the slowest of each group.",
            )  # fmt: skip
        none = await self.ended("no calls at all", self.fan_out(call, [], limit=self.limit))
        self.findings.equal("results of no items", none, [], step="An empty list of items is a list, too.")
        self.nothing_left("when all went well", leftovers)

    async def kept(self) -> None:
        """Every fourth fails, and stands in the place of its result."""
        leftovers = Leftovers()
        wrong = {number: Refused(self.attempt.token()) for number in range(1, 30, 4)}

        async def answer(number: int) -> int:
            await asyncio.sleep(self.attempt.random.uniform(SHORT, LONG))
            if number in wrong:
                raise wrong[number]
            return number

        call = CallCounter(answer)
        work = self.fan_out(call, range(30), limit=self.limit, errors="keep")
        try:
            results = await self.ended('30 calls with errors="keep"', work)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) or not of(error, wrong.values()):
                raise
            results = [f"raised {type(error).__name__}"]
        with self.findings.together():
            self.findings.equal(
                'results with errors="keep"', results, [wrong.get(n, n) for n in range(30)],
                step="Catch what a call raises, and store the error itself at its item's place.",
            )  # fmt: skip
            self.findings.at_most(
                "calls under way at once, some of them failing", call.peak, self.limit,
                step="A call that failed gives back one place, not more.",
            )  # fmt: skip
        self.nothing_left('with errors="keep"', leftovers)

    async def raised(self) -> None:
        """One fails early, while others are under way, which take a moment to clean up."""
        leftovers = Leftovers()
        place, error, began = self.attempt.random.randint(8, 14), Refused(self.attempt.token()), 0

        async def answer(number: int) -> int:
            nonlocal began
            if number == place:
                await asyncio.sleep(SHORT)
                began = call.calls
                raise error
            await cleaned_up(LONG)
            return number

        call, seen = CallCounter(answer), None
        try:
            await self.ended("40 calls, of which one fails", self.fan_out(call, range(40), limit=self.limit))
        except Exception as caught:
            seen = caught
        left = call.in_flight
        await asyncio.sleep(PATIENCE)
        with self.findings.together():
            self.findings.expect(
                "what was raised", measured="nothing" if seen is None else repr(seen)[:80],
                wanted="the error itself", holds=seen is error,
                step="Raise the first error as it is: not a group, and not an error of your own.",
            )  # fmt: skip
            self.findings.equal(
                "calls under way when it was raised", left, 0,
                step="Cancel what is under way, and wait for its end before you raise.",
            )  # fmt: skip
            # In the very moment of the error, a waiting call may take the place that comes free by it.
            self.findings.at_most(
                "calls that began after the error", call.calls - began, 1,
                step="After the first error nothing more is called: end the workers, too.",
            )  # fmt: skip
        self.nothing_left("after an error", leftovers)

    async def cancelled(self) -> None:
        """The caller gives up in the middle."""
        leftovers = Leftovers()

        async def answer(number: int) -> int:
            await cleaned_up(LONG)
            return number

        call = CallCounter(answer)
        task = asyncio.ensure_future(self.fan_out(call, range(40), limit=self.limit, errors="keep"))
        await asyncio.sleep(1.5 * LONG)
        began = call.calls
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
        left = call.in_flight
        await asyncio.sleep(PATIENCE)
        outcome = "still running" if not done else "cancelled" if task.cancelled() else "it returned"
        with self.findings.together():
            self.findings.equal(
                "how it ended when it was cancelled", outcome, "cancelled",
                step="CancelledError is for you, not a result: let it through, also with errors=\"keep\".",
            )  # fmt: skip
            self.findings.equal(
                "calls under way when it had ended", left, 0,
                step="Cancel what is under way, and wait for it.",
            )  # fmt: skip
            self.findings.equal(
                "calls that began after the cancelling", call.calls - began, 0,
                step="Nothing may begin after that: a place that comes free so is not for the next.",
            )  # fmt: skip
        self.nothing_left("after it was cancelled", leftovers)


async def cleaned_up(seconds: float) -> None:
    """Work that needs a moment to end, as what closes a connection does."""
    try:
        await asyncio.sleep(seconds)
    finally:
        await asyncio.sleep(CLEAN_UP)


def of(error: BaseException, known: Any) -> bool:
    """Whether it is one of these, or a group of them."""
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    return any(member is each for member in members for each in known)
