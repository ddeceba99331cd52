"""Plug the leaks."""

import asyncio
import gc
import tracemalloc
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.table import Table

HINTS = (
    "Three things grow: answers, tasks, failures. For each, ask who would still need it after an hour,"
    " and what takes it out today. `len()` of each after a thousand questions shows which grow.",
    "An OrderedDict remembers an order: move_to_end on every hit, popitem(last=False) once there are"
    " more than room. A task can take itself out of under_way when it is done: add_done_callback. An"
    " exception keeps all local variables of the frames it passed through.",
    "failures becomes a deque with a maxlen, and note appends str(error), not the error. In ask, give"
    " the new task a done callback that pops its question from under_way; then a failed question is"
    " tried anew by itself.",
)

ROOM = 200
HOT = 50
WARM = 1500
COUNTED = 3000
LOOK_EVERY = 50
ANSWER_BYTES = 2000
CONTEXT_BYTES = 4000
MOST_SHARE = 0.05
LEAST_HITS = 0.8
AT_ONCE = 20
PATIENCE = 12.0

Model = Callable[[str], Coroutine[Any, Any, str]]


class Leaky:
    """What the exercise is given out as: its growth is what the answer's is compared with."""

    def __init__(self, model: Model, room: int) -> None:
        self.model = model  # and no bound: `room` is not looked at
        self.cache: dict[str, str] = {}
        self.under_way: dict[str, asyncio.Task[str]] = {}
        self.failures: list[Exception] = []

    async def ask(self, question: str) -> str:
        if question not in self.cache:
            if question not in self.under_way:
                self.under_way[question] = asyncio.create_task(self.model(question))
            try:
                self.cache[question] = await asyncio.shield(self.under_way[question])
            except Exception as error:
                self.failures.append(error)
                raise
        return self.cache[question]


class Refused(Exception):
    """What the model raises."""


@dataclass
class FakeModel:
    """Answers by arithmetic, so that it need not remember; what begins with `bad` is refused."""

    calls: int = 0
    hot_calls: int = 0
    refusing: bool = True
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, question: str) -> str:
        context = bytearray(CONTEXT_BYTES)  # what a real call has in its hands when it fails
        self.calls += 1
        self.hot_calls += question.startswith("hot")
        await asyncio.sleep(0)
        await self.gate.wait()
        if question.startswith("bad") and self.refusing:
            raise Refused(f"no answer to {question} ({len(context)})")
        return answer_to(question)


def answer_to(question: str) -> str:
    return f"{question}: ".ljust(ANSWER_BYTES, question[-1])


@dataclass
class Use:
    """Many people ask: seven of ten questions are hot ones, two are new, one can't be answered."""

    attempt: Attempt
    growth: float = 0.0
    asked_hot: int = 0
    wrong: int = 0
    number: int = 0

    async def run(self, kind: Any, model: FakeModel) -> Any:
        """Traced bytes that 1,000 requests add: of two spans, how much higher the later one reaches."""
        service = kind(model, ROOM)
        await self.ask(service, WARM)
        model.hot_calls = self.asked_hot = 0
        peaks = [await self.peak(service, COUNTED // 2) for _ in range(2)]
        self.growth = (peaks[1] - peaks[0]) / (COUNTED / 2) * 1000
        return service

    async def peak(self, service: Any, count: int) -> int:
        most = 0
        for _ in range(count // LOOK_EVERY):
            await self.ask(service, LOOK_EVERY)
            gc.collect()
            most = max(most, tracemalloc.get_traced_memory()[0])
        return most

    async def ask(self, service: Any, count: int) -> None:
        for _ in range(count):
            self.number += 1
            drawn = self.attempt.random.random()
            if drawn < 0.7:
                question = f"hot {self.attempt.random.randrange(HOT)}"
                self.asked_hot += 1
            else:
                question = f"{'new' if drawn < 0.9 else 'bad'} {self.number} {self.attempt.token(6)}"
            try:
                answer = await service.ask(question)
            except Refused:
                self.wrong += not question.startswith("bad")
            else:
                self.wrong += answer != answer_to(question)


class PlugItCheck(Check):
    seconds = 25

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        self.kind = attempt.get("Answers")
        await self.behaves()
        before, after, model = await findings.finishes(
            f"{2 * (WARM + COUNTED):,} questions",
            self.measure(),
            within=PATIENCE,
            step="Find what waits for ever.",
        )
        table = Table(
            ["alive per 1,000 questions", "kB"],
            [("as given out", before.growth / 1000), ("yours", after.growth / 1000)],
        )
        findings.equal(
            "wrong answers", after.wrong, 0, step="A question must get its own answer, from cache or not."
        )
        findings.at_most(
            "alive per 1,000 questions, of what it was",
            round(100 * max(0.0, after.growth) / before.growth, 1),
            100 * MOST_SHARE,
            unit="%",
            step="Something still grows: print the length of each container after a thousand questions.",
            evidence=table,
        )
        hits = 1 - model.hot_calls / after.asked_hot
        findings.at_least(
            "hot questions answered from the cache",
            round(100 * hits, 1),
            100 * LEAST_HITS,
            unit="%",
            step="Keep what is asked for often: room is enough for it. Which answer do you forget first?",
        )
        findings.show(table)

    async def measure(self) -> tuple[Use, Use, FakeModel]:
        gc.collect()
        gc.freeze()  # what was there before is not looked through again at each look
        tracemalloc.start()
        found = []
        for kind in (Leaky, self.kind):
            use, model = Use(self.attempt), FakeModel()
            model.gate.set()
            service = await use.run(kind, model)
            del service
            found.append(use)
        tracemalloc.stop()
        return found[0], found[1], model

    async def behaves(self) -> None:
        """What must stay as it was."""
        model = FakeModel()
        service, question = self.kind(model, ROOM), f"new {self.attempt.token()}"
        asked = [asyncio.ensure_future(service.ask(question)) for _ in range(AT_ONCE)]
        await asyncio.sleep(0.01)
        model.gate.set()
        answers = await self.findings.finishes(
            f"{AT_ONCE} equal questions at once",
            asyncio.gather(*asked),
            within=5,
            step="All of them are answered.",
        )
        wrong = sum(answer != answer_to(question) for answer in answers)
        self.findings.equal(
            f"wrong answers to {AT_ONCE} equal questions at once",
            wrong,
            0,
            step="All of them get the same answer.",
        )
        self.findings.equal(
            "calls that they made",
            model.calls,
            1,
            step="Who comes while a call is under way waits for that call.",
        )
        bad = [f"bad {self.attempt.token()}" for _ in range(25)]
        told = [await self.refused(service, question) for question in bad]
        self.findings.equal("failures that reached who asked", sum(told), len(bad), step="Raise it on.")
        last = list(service.recent_failures())
        self.findings.expect(
            "recent_failures tells the newest",
            measured=f"{len(last)} told",
            wanted="the newest 20, in their order",
            holds=len(last) == 20 and all(q in text for q, text in zip(bad[-20:], last, strict=True)),
            step="Keep the words of the newest twenty.",
        )
        model.refusing = False
        self.findings.equal(
            "a question that had failed, asked again",
            "refused again" if await self.refused(service, bad[0]) else "answered",
            "answered",
            step="A failed task must not answer who comes later: take it out when it is done.",
        )

    async def refused(self, service: Any, question: str) -> bool:
        try:
            await self.findings.finishes(
                "an answer", service.ask(question), within=5, step="Find what waits for ever."
            )
        except Refused:
            return True
        return False
