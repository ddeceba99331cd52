"""An endpoint that lets the others live."""

import asyncio
import time
from collections.abc import Coroutine
from statistics import median
from typing import Any

import psutil
from fastapi import Body, FastAPI

from prodigon_lib.workshop.asgi import Direct, started
from prodigon_lib.workshop.checks import Attempt, Check, Findings, Noisy
from prodigon_lib.workshop.heartbeat import Beat, strip_chart
from prodigon_lib.workshop.histogram import Histogram
from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import score

HINTS = (
    "An async function runs on the event loop until it awaits something that is not there yet. score awaits"
    " nothing, so the loop stands still. It has to run somewhere else, and you await its result: what else"
    " is there in a computer that can run it?",
    "loop.run_in_executor(executor, function, *arguments) gives something to await. An executor of threads"
    " shares the interpreter's lock with the loop; ProcessPoolExecutor does not. To start a process is dear:"
    " where does the pool live, so that all requests use it?",
    "In the lifespan, make the pool in a with block around the yield, and keep it in app.state: with"
    " ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('spawn')) as app.state.pool. In"
    " result_of, take the running loop and return await loop.run_in_executor with the pool, then score, then"
    " its two arguments, the text and the passages.",
)
EVERY = 0.005
ROUNDS = 3
SCORES = 1
WORK_SECONDS = 0.2
A_FIFTH = 0.2
MOST_CHILDREN = 8


def blocking_app() -> FastAPI:
    """The exercise as it was, to compare with."""
    app = beating_app()

    @app.post("/score")
    async def scored(text: str = Body(), passages: int = Body()) -> float:
        return score(text, passages)

    return app


def threaded_app() -> FastAPI:
    """With the scores in threads: the slowest of the right ways, by which a busy machine shows."""
    app = beating_app()

    @app.post("/score")
    def scored(text: str = Body(), passages: int = Body()) -> float:
        return score(text, passages)

    return app


def beating_app() -> FastAPI:
    app = FastAPI()

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    return app


def passages_for(seconds: float) -> int:
    """How many passages keep a processor busy for so long; by its own time, which no other program takes."""
    count, times = 200, []
    for _ in range(5):
        began = time.process_time()
        score("how long does this take", count)
        times.append(time.process_time() - began)
    return max(1, int(count * seconds / min(times)))


async def beats_while(service: Direct, work: Coroutine[Any, Any, None]) -> list[Beat]:
    """Ask for a heartbeat at even times, whether or not the last was answered, until the work is done."""
    beats: list[Beat] = []
    began = time.perf_counter()
    asks = []

    async def ask(due: float) -> None:
        await service.ask("GET", "/beat")
        beats.append(Beat(due, time.perf_counter() - began - due))

    task = asyncio.ensure_future(work)
    due = 0.0
    while not task.done():
        due += EVERY
        await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
        asks.append(asyncio.ensure_future(ask(due)))
    await asyncio.gather(*asks)
    await task
    return sorted(beats, key=lambda beat: beat.due)


def p99(beats: list[Beat]) -> float:
    return Histogram(max(0.0, beat.late) for beat in beats).percentile(99)


def children() -> int:
    """Processes that this one started, but for Python's own helper."""
    return sum(not is_helper(child) for child in psutil.Process().children(recursive=True))


def is_helper(process: psutil.Process) -> bool:
    try:
        return "resource_tracker" in " ".join(process.cmdline()) or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


class UnblockCheck(Check):
    memory_mb = 768

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        create_app = attempt.get("create_app")
        self.passages = passages_for(WORK_SECONDS)
        self.before = children()
        async with started(create_app()) as service, started(blocking_app()) as blocking:
            await self.answers(service)
            await self.beats(service, blocking)
        await self.ended()

    async def ask(self, service: Direct, text: str, passages: int) -> Any:
        reply = await service.ask("POST", "/score", {"text": text, "passages": passages})
        return reply.json() if reply.status == 200 else reply.said

    async def answers(self, service: Direct) -> None:
        """Several at once, so that none gets another's; and one that can't be scored."""
        texts = [self.attempt.token() for _ in range(6)]
        counts = [self.attempt.random.randint(20, 60) for _ in texts]
        seen = await self.findings.finishes(
            "6 scores at once", asyncio.gather(*map(self.ask, [service] * 6, texts, counts)), within=12,
            step="Every request must get its score: await what the executor gives.",
        )  # fmt: skip
        blank = await service.ask("POST", "/score", {"text": "  ", "passages": 3})
        with self.findings.together():
            self.findings.equal(
                "scores of 6 texts", seen, list(map(score, texts, counts)),
                step="Move the work, and leave what is computed as it is.",
            )  # fmt: skip
            self.findings.equal(
                "the status for a blank text", blank.status, 422,
                step="What score raises must come out of the await, as NoWords.",
            )  # fmt: skip

    async def beats(self, service: Direct, blocking: Direct) -> None:
        """In turn with the blocking version, on the same work, so that both meet the same machine."""
        seen: dict[str, list[list[Beat]]] = {"blocking": [], "yours": []}
        for _ in range(ROUNDS):
            text = self.attempt.token()
            for name, each in (("blocking", blocking), ("yours", service)):
                seen[name].append(await beats_while(each, self.work(each, text)))
        was, now = (1000 * median(map(p99, seen[name])) for name in ("blocking", "yours"))
        if now / was > A_FIFTH:
            await self.look_at_machine(was)
        with self.findings.together():
            self.findings.at_most(
                f"processes started for {6 + 1 + ROUNDS * SCORES} requests", children() - self.before,
                MOST_CHILDREN, step="Make the pool once, in the lifespan, and let all requests use it.",
            )  # fmt: skip
            self.findings.at_most(
                f"the heartbeat's p99 while scores are computed: {now:.0f} ms, and was {was:.0f} ms",
                now / was, A_FIFTH, unit="of what it was",
                step="Something still holds the loop for long: what is not awaited blocks, a wait too.",
                evidence=strip_chart({name: rounds[0] for name, rounds in seen.items()}, every=EVERY),
            )  # fmt: skip

    async def look_at_machine(self, was: float) -> None:
        """Raises Noisy: on a right answer the heartbeat is as late."""
        async with started(threaded_app()) as threaded:
            rounds = [
                await beats_while(threaded, self.work(threaded, self.attempt.token())) for _ in range(ROUNDS)
            ]
        share = 1000 * median(map(p99, rounds)) / was
        if share > A_FIFTH:
            said = "with the scores in threads, the heartbeat's p99 was of the blocking version's"
            raise Noisy(share, said, most=A_FIFTH)

    async def work(self, service: Direct, text: str) -> None:
        for _ in range(SCORES):
            await self.ask(service, text, self.passages)

    async def ended(self) -> None:
        for _ in range(100):
            if children() <= self.before:
                break
            await asyncio.sleep(0.02)
        self.findings.equal(
            "processes left when the service had ended", children() - self.before, 0,
            step="Shut the pool down at the end of the lifespan: a with block does.",
        )  # fmt: skip
