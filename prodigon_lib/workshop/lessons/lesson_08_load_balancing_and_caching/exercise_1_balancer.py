"""A balancer."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp

from prodigon_lib.workshop.checks import Attempt, Check, Findings, Noisy
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching.replicas import (
    Refused,
    Replica,
    balanced,
)
from prodigon_lib.workshop.table import Table

FILE = "balancer.conf"
HINTS = (
    "A line `server ADDRESS;` in the upstream for each replica, and above them one word for the policy."
    " Round robin gives a slow replica its full turn; which policy looks at how many requests each one has"
    " in flight?",
    "`proxy_next_upstream` lists when another replica is asked: `error` and `timeout`, and an answer that"
    " says that the replica is leaving has a name too. It never repeats a POST unless you add"
    " `non_idempotent`. Which variable holds the peer's address, and nothing that it says?",
    "`least_conn;` (or `random two least_conn;`) and three servers; `proxy_next_upstream error timeout"
    " http_503;`; `proxy_set_header X-Forwarded-For $remote_addr;`, not the variable that adds to what came;"
    " and `proxy_buffering` set for the events.",
)
QUICK, SLOW = 0.01, 0.08
BUSY = 0.06
AT_WORK = 3
"""Of each method: as many requests are under way at a replica when it is killed. Without any, its end is
nobody's loss, and an answer that asks no other replica would pass."""
AT_WORK_SECONDS = 3.0
"""Longer than all the requests take."""
IN_FLIGHT = 12
FORGED = "203.0.113.7"


class BalancerCheck(Check):
    seconds = 28

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        measures: tuple[Callable[[], Awaitable[None]], ...] = (
            self.all_get_some, self.slow_gets_less, self.leaves, self.killed, self.events, self.address,
        )  # fmt: skip
        try:
            for number, measure in enumerate(measures):
                self.folder = attempt.folder / str(number)
                self.folder.mkdir()
                await measure()
        except Refused as refusal:
            findings.expect(
                "nginx with this configuration", measured="does not start", wanted="starts", holds=False,
                step="nginx says which line it does not take.", evidence=str(refusal),
            )  # fmt: skip

    async def all_get_some(self) -> None:
        async with balanced(self.attempt.text, self.folder, (0.0, 0.0, 0.0)) as (url, replicas):
            await send(url, 90, 1, self.paths())
            self.findings.at_least(
                "of 90 requests, the replica with the fewest has",
                min(taken(each) for each in replicas), 10, evidence=shares(replicas),
                step="Name every replica in the upstream, and let the policy spread the requests.",
            )  # fmt: skip

    async def slow_gets_less(self) -> None:
        seconds = [QUICK, QUICK, QUICK]
        place = self.attempt.random.randrange(3)
        seconds[place] = SLOW
        async with balanced(self.attempt.text, self.folder, seconds) as (url, replicas):
            await send(url, 150, IN_FLIGHT, self.paths())
            self.findings.at_most(
                "of 150 requests, the replica that takes eight times as long has",
                taken(replicas[place]), 40, evidence=shares(replicas),
                step="Use a policy that looks at how many requests each replica has in flight.",
            )  # fmt: skip

    async def leaves(self) -> None:
        """It answers 503 to what is new, from a moment in the middle of the load."""
        async with balanced(self.attempt.text, self.folder, (QUICK, QUICK, QUICK)) as (url, replicas):
            going = self.attempt.random.choice(replicas)

            def leave() -> None:
                going.leaving = True

            statuses = await send(url, 150, IN_FLIGHT, self.paths(), during=leave)
            self.findings.equal(
                "GETs that failed while a replica left", failed(statuses), 0, evidence=answers(statuses),
                step="503 says that the replica is not for new requests: let another one be asked.",
            )  # fmt: skip

    async def killed(self) -> None:
        async with balanced(self.attempt.text, self.folder, (BUSY, BUSY, BUSY)) as (url, replicas):
            dead, begun = self.attempt.random.choice(replicas), asyncio.Event()
            gets, posts, at_work = await asyncio.gather(
                send(url, 150, IN_FLIGHT, self.paths(), during=begun.set),
                send(url, 150, IN_FLIGHT, self.paths("/post-"), method="POST"),
                kill_at_work(dead, begun),
            )
            if at_work < AT_WORK:
                raise Noisy(
                    1 - at_work / AT_WORK,
                    "of the requests that a replica was to die with, it lacked",
                    most=0.0,
                )
            received: Counter[str] = sum((each.received for each in replicas), Counter())
            twice = sum(times > 1 for path, times in received.items() if path.startswith("/post-"))
            with self.findings.together():
                self.findings.at_most(
                    "GETs that failed when a replica was killed", failed(gets), 1, evidence=answers(gets),
                    step="A GET does no harm twice: let another replica be asked when the connection broke.",
                )  # fmt: skip
                self.findings.equal(
                    "POSTs that reached two replicas", twice, 0, evidence=answers(posts),
                    step="A replica may have begun what it did not answer: repeat no POST.",
                )  # fmt: skip

    async def events(self) -> None:
        async with balanced(self.attempt.text, self.folder, (0.0, 0.0, 0.0)) as (url, _):
            first, last = await event_times(f"{url}/events")
            self.findings.at_most(
                "of a stream's time, until its first event is there", first / last, 0.5,
                step="nginx collects an answer before it passes it on, unless it is told not to.",
            )  # fmt: skip

    async def address(self) -> None:
        async with balanced(self.attempt.text, self.folder, (0.0, 0.0, 0.0)) as (url, replicas):
            await send(url, 1, 1, self.paths(), headers={"X-Forwarded-For": FORGED})
            (asked,) = [each for each in replicas if taken(each)]
            self.findings.equal(
                f"X-Forwarded-For, when the client claims {FORGED}", ", ".join(asked.told), "127.0.0.1",
                step="Set the header from the connection's own address; add nothing to what came.",
            )  # fmt: skip

    def paths(self, before: str = "/") -> Callable[[int], str]:
        """A path of its own for each request, so that no policy can know it."""
        word = self.attempt.token(6)
        return lambda number: f"{before}{word}-{number}"


async def send(
    url: str,
    count: int,
    in_flight: int,
    path: Callable[[int], str],
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    during: Callable[[], None] | None = None,
) -> Counter[int]:
    """The statuses of so many requests, 0 for a broken connection; `during` is called after a third."""
    statuses: Counter[int] = Counter()
    numbers = iter(range(count))

    async def caller(session: aiohttp.ClientSession) -> None:
        nonlocal during
        for number in numbers:
            if during is not None and number >= count // 3:
                strike, during = during, None
                asyncio.get_running_loop().call_later(QUICK / 2, strike)
            try:
                async with session.request(method, url + path(number)) as response:
                    await response.read()
                    statuses[response.status] += 1
            except aiohttp.ClientError:
                statuses[0] += 1

    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=8)) as session:
        await asyncio.gather(*(caller(session) for _ in range(in_flight)))
    return statuses


async def kill_at_work(replica: Replica, begun: asyncio.Event) -> int:
    """Kill it once it works on enough of both methods; returns on how many of the rarer one it did."""
    most = 0
    await begun.wait()
    end = time.monotonic() + AT_WORK_SECONDS
    while most < AT_WORK and time.monotonic() < end:
        await asyncio.sleep(QUICK / 10)
        most = max(most, min(replica.working["GET"], replica.working["POST"]))
    replica.kill()
    return most


async def event_times(url: str) -> tuple[float, float]:
    """Seconds until the first event, and until the end of the stream."""
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        await response.content.readline()
        first = time.perf_counter() - began
        await response.read()
    return first, time.perf_counter() - began


def taken(replica: Replica) -> int:
    return replica.received.total()


def failed(statuses: Counter[int]) -> int:
    return statuses.total() - statuses[200]


def shares(replicas: list[Replica]) -> Table:
    rows = [(f"replica {place}", each.seconds, taken(each)) for place, each in enumerate(replicas, start=1)]
    return Table(["replica", "seconds for an answer", "requests"], rows)


def answers(statuses: Counter[int]) -> Table:
    named = {0: "the connection broke"}
    return Table(["answer", "requests"], [(named.get(code, code), n) for code, n in sorted(statuses.items())])
