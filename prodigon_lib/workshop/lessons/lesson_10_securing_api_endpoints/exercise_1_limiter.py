"""A rate limiter."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints import limiter_process
from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints.limiter_process import opened
from prodigon_lib.workshop.obedient import Obedient, obedient
from prodigon_lib.workshop.table import Table

HINTS = (
    "Keep for each caller how many tokens are left and when that was so. What has come back since then is the"
    " time that passed, times the rate, and never more than a burst. A window that begins anew would let two"
    " bursts through at its edge.",
    "Between your read and your write another process reads the same number. BEGIN IMMEDIATE takes the lock"
    " to write before you read. The wait is what is missing, divided by the rate. And read X-Forwarded-For"
    " from its end: only proxies add there.",
    "BEGIN IMMEDIATE; read, or take a whole burst; later = max(at, now); tokens = min(burst, tokens + (later"
    " - at) * rate); write only if the cost is there; COMMIT in finally. For the caller: while peer is a"
    " proxy, peer becomes the last entry not yet read.",
)
MARGIN = 0.05
EASE = 1e-6
"""Seconds by which a wait may be short: sums of floats are."""

PAUSE = 0.001
SKEWS = (-0.4, 0.0, 0.3)
"""Seconds by which the three processes' clocks are off."""

Call = tuple[str, int, float]


class LimiterCheck(Check):
    seconds = 28

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        draw = attempt.random
        self.burst, self.rate = draw.randint(200, 300), float(draw.randint(20, 40))
        self.now = draw.uniform(1e5, 1e6)
        store = opened(attempt.folder / "one.db")
        self.limiter = attempt.get("Limiter")(store, burst=self.burst, per_second=self.rate)
        self.at_once()
        self.at_an_edge()
        self.over_time()
        self.waits()
        self.refusals_are_free()
        self.costs()
        self.whom_to_count()
        database = str(attempt.folder / "shared.db")
        arguments = (str(attempt.path), database, str(self.burst), str(self.rate))
        async with obedient(limiter_process, *arguments) as processes:
            await self.three_at_once(processes)
            await self.three_over_time(processes)

    def spent(self, caller: str, cost: int, now: float) -> int:
        """What the request was let through with: its cost, or nothing."""
        return 0 if self.limiter.take(caller, cost, now) else cost

    def within(self, what: str, measured: float, wanted: float, *, step: str) -> None:
        self.findings.expect(
            what, measured=measured, wanted=f"{wanted:.0f}, to {MARGIN:.0%}", step=step,
            holds=abs(measured - wanted) <= MARGIN * wanted,
        )  # fmt: skip

    def at_once(self) -> None:
        first, second = self.attempt.token(), self.attempt.token()
        cost = self.attempt.random.randint(2, 5)
        for caller, which in ((first, "one caller"), (second, "another caller after that")):
            self.within(
                f"tokens that {which} can spend at once",
                sum(self.spent(caller, cost, self.now) for _ in range(2 * self.burst)), self.burst,
                step="Begin each caller with a whole burst of their own, and let them spend no more.",
            )  # fmt: skip

    def at_an_edge(self) -> None:
        """One token, a rest until just before all would have come back, and what is spent around then."""
        caller, moment = self.attempt.token(), self.now + self.burst / self.rate
        self.limiter.take(caller, 1, self.now)
        spent = sum(
            self.spent(caller, 1, moment + side / 100) for side in (-1, 1) for _ in range(2 * self.burst)
        )
        self.within(
            "tokens that can be spent within a fiftieth of a second, after a rest", spent, self.burst,
            step="Let tokens come back singly, up to a burst: at a window's edge two would be there.",
        )  # fmt: skip

    def over_time(self) -> None:
        """A flood of five times the rate, an hour of rest, and a flood again."""
        caller, seconds = self.attempt.token(), 40.0
        moments = [self.now + place / (5 * self.rate) for place in range(int(seconds * 5 * self.rate))]
        taken = [self.spent(caller, 1, moment) for moment in moments]
        self.within(
            f"tokens spent in a flood of {seconds:g} s", sum(taken), self.burst + seconds * self.rate,
            step="Let per_second tokens come back each second, from when they were last counted.",
        )  # fmt: skip
        again = sum(self.spent(caller, 1, moments[-1] + 3600) for _ in range(2 * self.burst))
        self.within(
            "tokens that can be spent at once after an hour of rest", again, self.burst,
            step="However long the rest was, no more than a burst is there.",
        )  # fmt: skip

    def waits(self) -> None:
        draw, wrong = self.attempt.random, []
        for _ in range(30):
            caller, cost = self.attempt.token(), draw.randint(5, self.burst)
            before = draw.randint(self.burst - cost + 1, self.burst)
            self.limiter.take(caller, before, self.now)
            moment = self.now + draw.uniform(0, 0.5) * (cost - self.burst + before) / self.rate
            wait = self.limiter.take(caller, cost, moment)
            sooner = self.limiter.take(caller, cost, moment + 0.9 * wait)
            then = self.limiter.take(caller, cost, moment + wait + EASE)
            if not wait > 0 or not sooner > 0 or then:
                wrong.append((before, cost, wait, "let through" if not sooner else "refused",
                              "refused" if then else "let through"))  # fmt: skip
        columns = ["spent before", "cost", "told to wait, s", "a tenth sooner", "then"]
        self.findings.equal(
            "refusals of 30 whose wait was not true", len(wrong), 0, evidence=Table(columns, wrong[:5]),
            step="The wait is what is missing, divided by the rate: sooner it is refused, then let through.",
        )  # fmt: skip

    def refusals_are_free(self) -> None:
        caller = self.attempt.token()
        never = self.limiter.take(caller, self.burst + 1, self.now)
        self.limiter.take(caller, self.burst - 10, self.now)
        for _ in range(100):
            self.limiter.take(caller, 11, self.now)
        with self.findings.together():
            self.findings.equal(
                "seconds to wait with a request that costs more than a burst", never, math.inf,
                step="It never fits: whoever is told to come back would come back for ever.",
            )  # fmt: skip
            self.findings.equal(
                "spent of the last 10 tokens, after 100 refusals", self.spent(caller, 10, self.now), 10,
                step="Take nothing for what you refuse.",
            )  # fmt: skip

    def costs(self) -> None:
        cost_of, draw = self.attempt.get("cost_of"), self.attempt.random
        wrong = []
        for _ in range(30):
            letters, most = draw.randint(0, 40_000), draw.randint(1, 8192)
            cost, wanted = cost_of("x" * letters, most), letters / 4 + most
            if not wanted - 1 <= cost <= wanted + 2:
                wrong.append((letters, most, cost, wanted))
        self.findings.equal(
            "costs of 30 that are not what a request may use", len(wrong), 0,
            evidence=Table(["characters", "max_tokens", "cost_of", "about"], wrong[:5]),
            step="Count the prompt's tokens, one for four characters, and all that the answer may have.",
        )  # fmt: skip

    def whom_to_count(self) -> None:
        caller_of = self.attempt.get("caller_of")
        cases = list(self.cases())
        wrong = [
            (peer, said, found, wanted)
            for peer, said, proxies, wanted in cases
            if (found := caller_of(peer, said, frozenset(proxies))) != wanted
        ]
        self.findings.equal(
            f"callers of {len(cases)} that were counted as somebody else", len(wrong), 0,
            evidence=Table(["connected", "X-Forwarded-For", "counted", "wanted"], wrong[:5]),
            step="Believe a proxy of yours, and it only in what it added: the last entry. Is that one a proxy"
            " of yours as well, go on.",
        )  # fmt: skip

    def cases(self) -> list[tuple[str, str, list[str], str]]:
        """Who is connected, what the header says, whom we trust, and whom to count."""
        draw = self.attempt.random
        one, two, client, forged = (
            ".".join(str(draw.randint(1, 250)) for _ in range(4)) for _ in range(4)
        )  # fmt: skip
        return [
            (client, "", [], client),
            (client, forged, [one], client),
            (client, f"{forged}, {one}", [one], client),
            (one, client, [one], client),
            (one, f"{forged}, {client}", [one], client),
            (one, f"{forged},{one},{client}", [one], client),
            (one, f"{forged}, {client}, {two}", [one, two], client),
            (one, f"{forged}, {two}, {client} , {two}", [one, two], client),
            (one, f"{forged}, {client}, {two}", [one], two),
            (one, "", [one], one),
        ]

    async def ordered(
        self, what: str, processes: Sequence[Obedient], calls: Sequence[Sequence[Call]], pause: float = 0.0
    ) -> list[list[float]]:
        """What each process' limiter said, all at the same time."""
        asked = asyncio.gather(
            *(one.obey({"calls": own, "pause": pause}) for one, own in zip(processes, calls, strict=True))
        )
        answers: list[Any] = await self.findings.finishes(
            what, asked, within=10, step="A lock on the database is kept: does every way out commit?"
        )
        faults = [
            answer["fault"] if answer else "it died" for answer in answers if "waits" not in (answer or {})
        ]
        self.findings.expect(
            f"faults, {what}", measured=faults[0] if faults else "none", wanted="none", holds=not faults,
            step="Ask for the lock to write before you read; a lock that is asked for later may be refused.",
        )  # fmt: skip
        return [answer["waits"] for answer in answers]

    async def three_at_once(self, processes: Sequence[Obedient]) -> None:
        caller, cost, what = self.attempt.token(), self.burst // 40, "three processes at once"
        calls = [[(caller, cost, self.now)] * 30 for _ in processes]
        waits = await self.ordered(what, processes, calls, PAUSE)
        spent = cost * sum(wait == 0 for each in waits for wait in each)
        self.within(
            f"tokens that one caller can spend, {what}", spent, self.burst,
            step="What one process has read, another has changed: read and write under one lock.",
        )  # fmt: skip

    async def three_over_time(self, processes: Sequence[Obedient]) -> None:
        """In turn, with clocks that differ: what came back must not be counted twice."""
        caller, seconds, step, spent = self.attempt.token(), 40.0, 0.5, 0
        for place in range(int(seconds / step)):
            moments = [self.now + place * step + skew for skew in SKEWS]
            many = math.ceil(self.rate * step)
            calls = [[(caller, 1, moment)] * many for moment in moments]
            waits = await self.ordered("three processes in a flood", processes, calls)
            spent += sum(wait == 0 for each in waits for wait in each)
        self.within(
            f"tokens spent in a flood of {seconds:g} s over three processes whose clocks differ",
            spent, self.burst + seconds * self.rate,
            step="A clock that is behind gives nothing, and takes the moment of the last count nowhere back.",
        )  # fmt: skip
