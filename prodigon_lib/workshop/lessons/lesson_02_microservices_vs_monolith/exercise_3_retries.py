"""Retries that do no harm."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prodigon_lib.workshop.checks import Attempt, Check, Evidence, Findings
from prodigon_lib.workshop.checks.virtual_time import run_virtually
from prodigon_lib.workshop.table import Table

HINTS = (
    "Two things are wrong, and they are apart. A new key for each attempt makes a new job. And three"
    " attempts each, whatever happens, make three times the load in the moment when the service can bear"
    " the least.",
    "Draw the key before the loop: it belongs to the submit and not to the attempt. For the load keep one"
    " number in the client: each submit adds a tenth to it, each retry takes one away, and without one"
    " there is no retry.",
    "Before sending again ask: was it Lost and not Refused, is an attempt left, is the account at 1 or"
    " more? Then take 1 and go on; else raise. Cap the account at RESERVE, so a quiet day does not pay for"
    " a storm.",
)
SUBMITS = 400
AT_ONCE = 20


@dataclass
class Service:
    """Makes one job for one key; loses, fails and refuses as it is told, from a seed."""

    attempt: Any
    draw: random.Random
    fails: float = 0.0
    loses: float = 0.0
    refuses: bool = False
    calls: int = 0
    jobs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys_of: dict[str, set[str]] = field(default_factory=dict)

    async def send(self, prompts: Sequence[str], key: str) -> str:
        self.calls += 1
        await asyncio.sleep(self.draw.uniform(0.001, 0.01))
        if self.refuses:
            raise self.attempt.Refused("no")
        if self.draw.random() < self.fails:
            raise self.attempt.Lost("the service is down")
        self.jobs.setdefault(key, tuple(prompts))
        if self.draw.random() < self.loses:
            raise self.attempt.Lost("the answer was lost")
        return f"job of {key}"


@dataclass
class Outcome:
    answered: int
    lost: int
    ids: list[str]


class RetriesCheck(Check):
    seconds = 15

    def run(self, attempt: Attempt, findings: Findings) -> None:
        for name in ("JobClient", "Lost", "Refused"):
            attempt.get(name)
        run_virtually(self.judged(attempt, findings))

    async def judged(self, attempt: Attempt, findings: Findings) -> None:
        module, draw = attempt.module, attempt.random

        def service(**faults: Any) -> Service:
            return Service(module, random.Random(draw.random()), **faults)

        await self.answers_lost(module, service(loses=0.05), draw, findings)
        await self.rare_faults(module, service(fails=0.05), draw, findings)
        await self.all_fails(module, service(fails=1.0), draw, findings)
        await self.refused(module, service(refuses=True), draw, findings)

    async def answers_lost(
        self, module: Any, service: Service, draw: random.Random, findings: Findings
    ) -> None:
        # Few different prompts: who makes the key of them has two submits share a job.
        words = [f"prompt {draw.randrange(10**6)}" for _ in range(12)]
        prompts = [[draw.choice(words)] for _ in range(SUBMITS)]
        outcome = await submit_all(module.JobClient(service.send), prompts, module, findings)
        wanted = Counter(tuple(each) for each in prompts)
        made = Counter(service.jobs.values())
        rows = [
            ("submits", SUBMITS),
            ("calls", service.calls),
            ("jobs made", len(service.jobs)),
            ("second jobs of one submit", sum((made - wanted).values())),
            ("submits without a job of their own", sum((wanted - made).values())),
        ]
        table = Evidence.of(Table(["5 % of the answers are lost", "count"], rows))
        findings.equal(
            "second jobs, when answers are lost", sum((made - wanted).values()), 0, evidence=table,
            step="One submit, one key: send every attempt of it under the same.",
        )  # fmt: skip
        findings.equal(
            "submits that shared another's job", sum((wanted - made).values()), 0, evidence=table,
            step="Two submits of the same prompts are two jobs: draw the key, do not compute it.",
        )  # fmt: skip
        findings.at_least("submits answered all the same", 100 * outcome.answered / SUBMITS, 98, unit="%",
            step="Send again what was lost: under the same key that is safe.", evidence=table)  # fmt: skip

    async def rare_faults(
        self, module: Any, service: Service, draw: random.Random, findings: Findings
    ) -> None:
        outcome = await submit_all(module.JobClient(service.send), some(draw), module, findings)
        findings.at_least(
            "submits answered, when 5 % of the calls fail", 100 * outcome.answered / SUBMITS, 98, unit="%",
            step="A budget of a tenth is plenty for a rare fault: spend it.",
        )  # fmt: skip

    async def all_fails(self, module: Any, service: Service, draw: random.Random, findings: Findings) -> None:
        outcome = await submit_all(module.JobClient(service.send), some(draw), module, findings)
        rows = [("submits", SUBMITS), ("calls", service.calls), ("answered", outcome.answered)]
        findings.at_most(
            "calls for each submit, with everything failing", service.calls / SUBMITS, 1.2,
            step="Let the retries of all submits together be a tenth of the submits; then give up at once.",
            evidence=Table(["everything fails", "count"], rows),
        )  # fmt: skip

    async def refused(self, module: Any, service: Service, draw: random.Random, findings: Findings) -> None:
        client = module.JobClient(service.send)
        service.refuses = False
        await submit_all(client, some(draw), module, findings)  # fills the account
        service.calls, service.refuses = 0, True
        await submit_all(client, some(draw)[:50], module, findings)
        findings.equal(
            "calls for 50 submits that are refused", service.calls, 50,
            step="Refused is an answer: raise it, and never ask again.",
        )  # fmt: skip


def some(draw: random.Random) -> list[list[str]]:
    return [[f"prompt {draw.randrange(10**6)}"] for _ in range(SUBMITS)]


async def submit_all(client: Any, prompts: list[list[str]], module: Any, findings: Findings) -> Outcome:
    """Twenty at a time; an error that is neither Lost nor Refused ends the check."""
    outcome, waiting = Outcome(0, 0, []), iter(prompts)

    async def lane() -> None:
        for each in waiting:
            try:
                outcome.ids.append(await client.submit(each))
                outcome.answered += 1
            except (module.Lost, module.Refused):
                outcome.lost += 1

    lanes = asyncio.gather(*(lane() for _ in range(AT_ONCE)))
    await findings.finishes(
        f"{len(prompts)} submits", lanes, within=600, step="Bound the attempts of a submit."
    )
    return outcome
