"""Single flight."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching import flight_process
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching.flight_process import FETCHES
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching.redis_of_a_check import (
    client_of,
    redis_of,
)
from prodigon_lib.workshop.obedient import obedient
from prodigon_lib.workshop.table import Table

HINTS = (
    "Of all who miss, one must know that it is the one, and the others that somebody is. Redis can decide"
    " that in one step, whichever process asks: set a second key, but only if it is not there.",
    "The others look again and again: for the value, and for the lead, which is free when its owner failed"
    " or died. So give that key an expiry, and delete it when the fetch is over, however it ended.",
    "while the value is not kept: if await redis.set(lead, owner, nx=True, px=…): try: look once more,"
    " fetch, set the value; finally: eval RELEASE with your owner. Else sleep a moment and go round again.",
)
LEASE = 2.4
FETCH_SECONDS = 0.4
SOON = 2.5
"""Seconds on top of the lease, for a busy machine."""


class SingleFlightCheck(Check):
    seconds = 28

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        attempt.get("SingleFlight")  # what can't even be loaded says so here
        async with redis_of(attempt) as server, client_of(server, seconds=5) as redis:
            self.redis = redis
            async with obedient(flight_process, str(attempt.path), server.url, str(LEASE)) as processes:
                self.processes = processes
                await self.a_hundred_misses()
                await self.other_keys()
                await self.who_leaves()
                await self.a_fetch_that_raises()
                await self.a_leader_that_dies()

    async def ordered(
        self, what: str, callers: Sequence[int], *, within: float, step: str, **order: Any
    ) -> list[dict[str, Any]]:
        """What came of it in each process that lived."""
        orders = [{"fetch_seconds": FETCH_SECONDS, "callers": count, **order} for count in callers]
        asked = asyncio.gather(*(p.obey(each) for p, each in zip(self.processes, orders, strict=True)))
        answers = await self.findings.finishes(what, asked, within=within, step=step)
        return [answer for answer in answers if answer is not None]

    async def fetches(self, key: str) -> int:
        return int(await self.redis.get(FETCHES + key) or 0)

    def shown(self, answers: Sequence[dict[str, Any]]) -> Table:
        total: Counter[str] = Counter()
        for answer in answers:
            total.update(answer["values"])
        return Table(["got", "callers"], total.most_common(6))

    async def a_hundred_misses(self) -> None:
        key = self.attempt.token()
        answers = await self.ordered(
            "100 callers in three processes", (34, 33, 33), keys=[key], within=LEASE + SOON,
            step="All of them wait for something that never comes: who sets it?",
        )  # fmt: skip
        got = self.got(answers)
        with self.findings.together():
            self.findings.equal(
                "fetches for 100 misses of one key in three processes", await self.fetches(key), 1,
                step="Have Redis decide who fetches: what one process remembers, the others don't know.",
            )  # fmt: skip
            self.findings.equal(
                "callers of 100 who got the fetched value", got[f"{key} as of fetch 1"], 100,
                step="Wait for the value, then give it back, to each who asked.",
                evidence=self.shown(answers),
            )  # fmt: skip

    def got(self, answers: Sequence[dict[str, Any]]) -> Counter[str]:
        """How many callers got each text."""
        total: Counter[str] = Counter()
        for answer in answers:
            total.update({value.strip("'"): count for value, count in answer["values"].items()})
        return total

    async def other_keys(self) -> None:
        """As many keys as callers in a process: one after the other they would take as many fetches' time."""
        keys = [self.attempt.token() for _ in range(25)]
        began = asyncio.get_running_loop().time()
        await self.ordered(
            "25 keys at once, in each of three processes", (25, 25, 25), keys=keys, within=8.0,
            step="Let each key have its own lead; a lock around all of them makes a queue.",
        )  # fmt: skip
        taken = asyncio.get_running_loop().time() - began
        counts = [await self.fetches(key) for key in keys]
        with self.findings.together():
            self.findings.equal(
                "fetches for 25 keys in three processes", sum(counts), 25,
                step="One fetch for each key: no more, and no less.",
            )  # fmt: skip
            self.findings.at_most(
                f"time for 25 keys, each {FETCH_SECONDS:g} s", taken, 12 * FETCH_SECONDS, unit="s",
                step="Let each key have its own lead; a lock around all of them makes a queue.",
            )  # fmt: skip

    async def who_leaves(self) -> None:
        key, leave = self.attempt.token(), self.attempt.random.randint(5, 12)
        answers = await self.ordered(
            f"30 callers, {leave} of whom leave", (30, 0, 0), keys=[key], leave=leave, within=LEASE + SOON,
            step="When the caller who fetches is cancelled, another must fetch: free the lead in `finally`.",
        )  # fmt: skip
        good = sum(count for value, count in self.got(answers).items() if value.startswith(f"{key} as of"))
        self.findings.equal(
            f"callers who stayed and got a value, when {leave} of 30 left", good, 30 - leave,
            step="Somebody's cancellation reached the others: wait so that only your own call ends with it.",
            evidence=self.shown(answers),
        )  # fmt: skip

    async def a_fetch_that_raises(self) -> None:
        key = self.attempt.token()
        answers = await self.ordered(
            "30 callers, when the first fetch raises", (10, 10, 10), keys=[key], first="raises",
            within=LEASE + SOON, step="After a failed fetch, let the next one fetch.",
        )  # fmt: skip
        got = self.got(answers)
        good = sum(count for value, count in got.items() if value.startswith(f"{key} as of"))
        slowest = max(answer["seconds"] for answer in answers)
        with self.findings.together():
            self.findings.at_least(
                "callers of 30 with a value, when the first fetch raised", good, 20,
                step="The error is for who fetched, at most for their process; the others fetch anew.",
                evidence=self.shown(answers),
            )  # fmt: skip
            self.findings.at_most(
                "the longest wait, when the first fetch raised", slowest, 2 * FETCH_SECONDS + 1.2, unit="s",
                step=f"Free the lead at once when fetch raises; its lease would last {LEASE:g} s.",
            )  # fmt: skip

    async def a_leader_that_dies(self) -> None:
        key = self.attempt.token()
        answers = await self.ordered(
            "callers of two processes, when the one that fetches is killed", (20, 20, 20), keys=[key],
            first="dies", within=LEASE + 2 * FETCH_SECONDS + SOON,
            step="Who died frees nothing: give the lead an expiry, and let those who wait try for it, too.",
        )  # fmt: skip
        good = sum(count for value, count in self.got(answers).items() if value.startswith(f"{key} as of"))
        with self.findings.together():
            self.findings.equal(
                "callers of 40 with a value, when the process that fetched was killed", good, 40,
                step="Those who wait must try for the lead again and again, and fetch when it is theirs.",
                evidence=self.shown(answers),
            )  # fmt: skip
            self.findings.at_most(
                "fetches, the killed one among them", await self.fetches(key), 2,
                step="After the lease is over, one of those who wait fetches; the others wait for that one.",
            )  # fmt: skip
