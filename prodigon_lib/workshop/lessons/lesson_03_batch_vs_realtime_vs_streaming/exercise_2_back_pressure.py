"""Back-pressure."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from prodigon_lib.workshop.checks import Attempt, Check, Findings, traced_memory
from prodigon_lib.workshop.table import Table

HINTS = (
    "Count what is accepted and not yet done while a producer that never pauses is at it. An"
    " asyncio.Queue takes whatever it is given unless it is told its maxsize; then put waits, and"
    " put_nowait raises.",
    "put_nowait raises asyncio.QueueFull when there is no room: answer that with 429. When will there"
    " be room? The queue's length and the seconds that one item takes are both at hand; their product is"
    " a wait.",
    "Retry-After is a whole number of seconds, at least 1: one more than half the queue's length times"
    " seconds_for_one. When stopping, await waiting.join(), which returns once task_done was called for"
    " every item, then cancel.",
)
BODY_BYTES = 100_000
PRODUCERS = 8
EACH = 25
LONGEST_WAIT = 10
PATIENCE = 8.0


@dataclass(frozen=True)
class Answer:
    """What is kept of a response; the response itself would hold the text that was sent."""

    status: int
    retry_after: str


class Site:
    """The answer's service in this process, and a count of what it took on and what it has done."""

    def __init__(self, attempt: Attempt, room: int, seconds_for_one: float) -> None:
        self.attempt, self.seconds_for_one = attempt, seconds_for_one
        self.accepted: list[str] = []
        self.done: list[str] = []
        self.peak = 0
        self.first_done = asyncio.Event()
        self.answers: list[Answer] = []
        self.app = attempt.get("create_app")(self.work, room)

    async def work(self, text: str) -> None:
        await asyncio.sleep(self.seconds_for_one)
        self.done.append(text[:12])
        self.first_done.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app)
        async with (
            self.app.router.lifespan_context(self.app),
            httpx.AsyncClient(transport=transport, base_url="http://intake") as client,
        ):
            yield client

    async def send(self, client: httpx.AsyncClient, *, size: int = 12) -> Answer:
        name = self.attempt.token()
        response = await client.post("/items", json={"text": name.ljust(size, ".")})
        answer = Answer(response.status_code, response.headers.get("Retry-After", ""))
        self.answers.append(answer)
        if answer.status == 202:
            self.accepted.append(name)
        self.peak = max(self.peak, len(self.accepted) - len(self.done))
        return answer

    @property
    def refused(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status == 429]

    def table(self) -> Table:
        counts = Counter(answer.status for answer in self.answers)
        rows: list[tuple[object, object]] = [
            (f"answered with {code}", n) for code, n in sorted(counts.items())
        ]
        return Table(
            ["figure", "count"], [*rows, ("done", len(self.done)), ("unfinished at the peak", self.peak)]
        )


class BackPressureCheck(Check):
    seconds = 28

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        await self.flood()
        await self.slow_work()
        await self.stop_while_full()

    async def finishes(self, what: str, awaitable: Any, step: str) -> Any:
        return await self.findings.finishes(what, awaitable, within=PATIENCE, step=step)

    async def flood(self) -> None:
        """Producers that never pause, whatever they are told."""
        room = self.attempt.random.randint(10, 15)
        site = Site(self.attempt, room, 0.005)

        async def producer(client: httpx.AsyncClient) -> None:
            for _ in range(EACH):
                await site.send(client, size=BODY_BYTES)
                await asyncio.sleep(0)

        async def session() -> None:
            async with site.open() as client:
                await asyncio.gather(*(producer(client) for _ in range(PRODUCERS)))

        sent = PRODUCERS * EACH
        with traced_memory() as memory:
            await self.finishes(
                f"{sent} items from {PRODUCERS} producers, and the end of the service", session(),
                "Look at what a producer, or the end of the service, still waits for.",
            )  # fmt: skip
        with self.findings.together():
            # One more is being worked on, and one may have been taken between two counts.
            self.findings.at_most(
                "accepted and not done, at the peak", site.peak, room + 2, evidence=site.table(),
                step=f"Let {room} items wait at most: give the queue that size.",
            )  # fmt: skip
            self.findings.at_most(
                f"memory while {sent * BODY_BYTES // 1_000_000} MB were sent", memory.peak / 1e6,
                sent * BODY_BYTES / 2e6, unit="MB", step="Keep no text of what was refused.",
            )  # fmt: skip
            self.nothing_lost(site)
            self.findings.expect(
                "answers other than 202 and 429",
                measured=sorted({answer.status for answer in site.answers} - {202, 429}) or "none",
                wanted="none", holds={answer.status for answer in site.answers} <= {202, 429},
                step="Answer what is too much with 429: it is no fault of the service (5xx).",
            )  # fmt: skip
            self.retry_after(site)

    def nothing_lost(self, site: Site) -> None:
        self.findings.equal(
            "accepted items that were done, once each", sorted(site.done), sorted(site.accepted),
            step="202 is a promise: when the service stops, finish what was accepted first.",
        )  # fmt: skip

    def retry_after(self, site: Site) -> None:
        said = {answer.retry_after or "nothing" for answer in site.refused}
        right = all(each.isdigit() and 1 <= int(each) <= LONGEST_WAIT for each in said)
        self.findings.expect(
            "Retry-After of the refused", measured=", ".join(sorted(said)) or "nobody was refused",
            wanted=f"whole seconds, 1 to {LONGEST_WAIT}", holds=right,
            step="Say when there will be room: the queue's length times the seconds for one, rounded up.",
        )  # fmt: skip

    async def slow_work(self) -> None:
        """Whoever comes again as told finds room, though one item takes long."""
        site = Site(self.attempt, 8, 0.2)
        told = again = 0

        async def session() -> None:
            nonlocal told, again
            async with site.open() as client:
                first = [await site.send(client) for _ in range(3)]
                await site.first_done.wait()  # so that the service knows how long one takes
                first += [await site.send(client) for _ in range(12)]
                waits = [answer.retry_after for answer in first if answer.status == 429]
                if waits and waits[-1].isdigit():
                    told = len(waits)
                    await asyncio.sleep(min(LONGEST_WAIT, int(waits[-1])))
                    again = sum([(await site.send(client)).status == 202 for _ in range(2)])

        await self.finishes(
            "a queue of slow work", session(), "Nobody should wait for ever: look at what does."
        )
        with self.findings.together():
            if told:
                self.findings.at_least(
                    "let in, of two who came again as told", again, 1,
                    step="The wait is too short: say how long it takes until there is room.",
                    evidence=site.table(),
                )  # fmt: skip
            self.nothing_lost(site)

    async def stop_while_full(self) -> None:
        room = self.attempt.random.randint(5, 12)
        site = Site(self.attempt, room, 0.02)

        async def session() -> None:
            async with site.open() as client:
                for _ in range(room):
                    await site.send(client)

        await self.finishes(
            f"the end of the service with {room} items waiting", session(), "Look at what its end waits for."
        )
        self.nothing_lost(site)
