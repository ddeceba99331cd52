"""A micro-batcher."""

import asyncio
import math
import time
from collections import Counter
from typing import Any

from prodigon_lib.workshop.checks import Attempt, CallCounter, Check, Findings
from prodigon_lib.workshop.table import Table

HINTS = (
    "Whoever submits can't know the answer yet, but can wait for a promise of one. Keep each prompt"
    " together with a future, and let whoever makes the call resolve all futures of its batch.",
    "Two things send a batch: the prompt that makes it full, and a timer that its first prompt started."
    " Call it from a task of its own, which belongs to no caller: the one who is cancelled must not take"
    " it along.",
    "loop.call_later(window, flush) is the timer; flush takes the list, puts an empty one in its place,"
    " clears the timer and starts the task. After a ValueError ask for each half, or for each prompt,"
    " alone.",
)
WINDOW = 0.25
SLACK = 0.6
"""Seconds that a busy machine may add to a window; a timer that starts anew each time adds three times it."""
PATIENCE = 5.0


class MicroBatcherCheck(Check):
    seconds = 20

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        self.refused: set[str] = set()
        await self.burst()
        await self.one_alone()
        await self.steady_stream()
        await self.one_bad()
        await self.callers_who_leave()

    def batcher(self, *, most: int, window: float = WINDOW) -> tuple[Any, CallCounter]:
        """A batcher of the answer's, and the model that it calls."""

        async def answer(prompts: list[str]) -> list[str]:
            asked = list(prompts)
            await asyncio.sleep(0.01)
            if bad := self.refused & set(asked):
                raise ValueError(f"the model refuses {sorted(bad)}")
            return [prompt.upper() for prompt in asked]

        model = CallCounter(answer)
        return self.attempt.get("MicroBatcher")(model, most=most, window=window), model

    def prompts(self, count: int) -> list[str]:
        return [self.attempt.token() for _ in range(count)]

    async def gather(self, what: str, submitted: list[Any], step: str) -> list[Any]:
        together = asyncio.gather(*submitted, return_exceptions=True)
        return await self.findings.finishes(what, together, within=PATIENCE, step=step)

    async def burst(self) -> None:
        most = self.attempt.random.randint(6, 9)
        count = most * self.attempt.random.randint(5, 6) + self.attempt.random.randint(1, most - 1)  # a rest
        batcher, model = self.batcher(most=most)
        prompts = self.prompts(count - 3)
        prompts += prompts[:3]  # three ask what another asks too
        what = f"{count} prompts at once, at most {most} a call"
        answers = await self.gather(
            what, [batcher.submit(prompt) for prompt in prompts],
            "Look at who sends the last prompts, which fill no batch, and at two that are the same.",
        )  # fmt: skip
        self.findings.equal(
            "answers, each to its own caller", answers, [prompt.upper() for prompt in prompts],
            step="Keep each prompt together with the future of the one who asked.",
        )  # fmt: skip
        sizes = [len(prompts) for (prompts,) in model.arguments]
        seen = Table(["prompts in a call", "such calls"], sorted(Counter(sizes).items()))
        with self.findings.together():
            self.findings.at_most(
                "prompts in the largest call", max(sizes), most, step=f"Send a batch once it has {most}.",
                evidence=seen,
            )  # fmt: skip
            self.findings.at_most(
                f"calls for {count} prompts", model.calls, math.ceil(count / most) + 2,
                step="Let prompts wait for each other, and send them in one call.", evidence=seen,
            )  # fmt: skip

    async def one_alone(self) -> None:
        batcher, _ = self.batcher(most=50)
        (waited,) = await self.gather(
            "one prompt alone", [timed(batcher.submit(self.attempt.token()))],
            "Nobody else comes: let a timer send what there is.",
        )  # fmt: skip
        self.findings.at_most(
            f"waited alone, with a window of {WINDOW:g} s", waited, WINDOW + SLACK, unit="s",
            step="Send what there is when the window is over.",
        )  # fmt: skip

    async def steady_stream(self) -> None:
        """Prompts every 60 ms: a timer that each of them starts anew never rings."""
        batcher, model = self.batcher(most=1000)
        submitted = []
        began = time.perf_counter()
        while time.perf_counter() - began < WINDOW + 3 * SLACK:
            submitted.append(asyncio.ensure_future(timed(batcher.submit(self.attempt.token()))))
            await asyncio.sleep(0.06)
        waited = await self.gather(
            "a steady stream", submitted, "Send what there is when the window is over."
        )
        with self.findings.together():
            self.findings.at_most(
                "the longest wait in a steady stream", max(waited), WINDOW + SLACK, unit="s",
                step="Count the window from the first prompt of a batch, not from the latest.",
            )  # fmt: skip
            self.findings.at_most(
                f"calls for {len(waited)} prompts in a steady stream", model.calls, len(waited) // 2,
                step="Wait for company until the window is over.",
            )  # fmt: skip

    async def one_bad(self) -> None:
        batcher, model = self.batcher(most=8)
        prompts = self.prompts(24)
        bad = self.attempt.random.randrange(24)
        self.refused = {prompts[bad]}
        answers = await self.gather(
            "24 prompts, one of them bad", [batcher.submit(prompt) for prompt in prompts],
            "After a refusal, every caller of that batch still needs an answer or an error.",
        )  # fmt: skip
        self.refused = set()
        theirs, its = answers[:bad] + answers[bad + 1 :], answers[bad]
        others = [prompt.upper() for prompt in prompts[:bad] + prompts[bad + 1 :]]
        with self.findings.together():
            self.findings.equal(
                "the 23 others' answers", theirs, others,
                step="A refused call says nothing about the others in it: ask again without the bad one.",
            )  # fmt: skip
            self.findings.expect(
                "the bad one's outcome", measured=its, wanted="ValueError", holds=isinstance(its, ValueError),
                step="Give the refusal to the caller whose prompt it is.",
            )  # fmt: skip
            self.findings.at_most(
                "calls, with a bad prompt in one batch of three", model.calls, 3 + 8 + 1,
                step="Ask again only for the batch that was refused.",
            )  # fmt: skip

    async def callers_who_leave(self) -> None:
        """The first caller leaves before the call, another during it."""
        batcher, _ = self.batcher(most=5)
        prompts = self.prompts(15)
        waiting = [asyncio.ensure_future(batcher.submit(prompt)) for prompt in prompts[:4]]
        await asyncio.sleep(0.02)
        waiting[0].cancel()
        await asyncio.sleep(0)
        waiting += [asyncio.ensure_future(batcher.submit(prompt)) for prompt in prompts[4:]]
        await asyncio.sleep(0.005)
        waiting[self.attempt.random.randint(1, 4)].cancel()
        waiting[6].cancel()
        answers = await self.gather(
            "15 callers, three of whom leave", waiting,
            "A batch went with somebody's cancellation: send each from a task of its own.",
        )  # fmt: skip
        stayed = [
            (answer, prompt.upper())
            for answer, prompt in zip(answers, prompts, strict=True)
            if not isinstance(answer, asyncio.CancelledError)
        ]
        with self.findings.together():
            self.findings.at_most(
                "callers who got no answer, when three left", len(prompts) - len(stayed), 3,
                step="Send each batch from a task of its own, which no caller's cancellation reaches.",
            )  # fmt: skip
            self.findings.equal(
                "the answers of those who stayed", [answer for answer, _ in stayed],
                [answer for _, answer in stayed],
                step="A future whose caller left is done already: look before you set its result.",
            )  # fmt: skip


async def timed(answer: Any) -> float:
    """Seconds until it is there."""
    began = time.perf_counter()
    await answer
    return time.perf_counter() - began
