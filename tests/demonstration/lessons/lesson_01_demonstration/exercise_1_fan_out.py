"""A bounded fan-out."""

import asyncio

from prodigon_lib.workshop.checks import Attempt, CallCounter, Check, Evidence, Findings
from prodigon_lib.workshop.table import Table

HINTS = (
    "Look at how many calls are under way at once. All of them start in the same instant, so the model sees"
    " forty requests together. Something has to hold the later ones back until an earlier one has ended.",
    "A semaphore counts free places. Whoever wants to call takes a place first, waits when there is none, and"
    " gives it back in any case. asyncio has one, and it works as a context manager.",
    "Wrap the call in a small coroutine that enters `async with semaphore:` and then awaits the model. Gather"
    " one of these for each prompt: gather keeps the order of its arguments, whatever finishes first.",
)


class FanOutCheck(Check):
    seconds = 8

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        most = attempt.random.randint(3, 6)
        prompts = [attempt.token() for _ in range(40)]
        delays = {prompt: attempt.random.uniform(0.001, 0.01) for prompt in prompts}

        async def answer(prompt: str) -> str:
            await asyncio.sleep(delays[prompt])
            return prompt.upper()

        model = CallCounter(answer)
        results = await findings.finishes(
            "40 prompts", attempt.get("ask_all")(model, prompts, most), within=1.5,
            step="Look for an await that nothing ever answers.",
        )  # fmt: skip
        findings.equal(
            "results, in the order of their prompts", results, [prompt.upper() for prompt in prompts],
            step="Give each result the place of its prompt.",
        )  # fmt: skip
        seen = Evidence.of(
            Table(["calls", "most at once", "allowed at once"], [(model.calls, model.peak, most)])
        )
        with findings.together():
            findings.equal("model calls", model.calls, 40, step="Call once for each prompt.", evidence=seen)
            findings.equal(
                "calls in flight at the peak", model.peak, most, evidence=seen,
                step=f"Let {most} calls be under way at once: no more, and no fewer while there is work.",
            )  # fmt: skip
