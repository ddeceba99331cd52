"""Three services in a row, over real HTTP; each calls the next as a policy says, and the last one fails."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from starlette.types import Receive, Scope, Send

from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.serving import serving
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Answer

HOPS = 3


class Failed(Exception):
    """The service that was called failed."""


Attempt = Callable[[], Awaitable[None]]
"""One call of the next service. Raises Failed."""

Policy = Callable[[Attempt], Awaitable[None]]
"""Makes the call, and maybe makes it again."""


@dataclass
class Hop:
    """One service: counts what comes in, and answers 200 or 502."""

    work: Attempt
    calls: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.calls += 1
        try:
            await self.work()
            status = 200
        except Failed:
            status = 502
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Load:
    """Calls at each hop, the last one deepest; and how many of the requests were answered."""

    offered: int
    calls: list[int] = field(default_factory=list)
    answered: int = 0

    @property
    def amplification(self) -> float:
        """Calls at the last service for each request at the first."""
        return self.calls[-1] / self.offered


async def offer(
    make_policy: Callable[[], Policy], fails: float, *, requests: int = 20, seed: int = 2
) -> Load:
    """Send requests through the chain; the last service fails that share of its calls, from the seed.

    Args:
        make_policy: called once for each hop, as each is a process of its own.
    """
    draw = random.Random(seed)

    async def break_down() -> None:
        if draw.random() < fails:
            raise Failed

    async with chain(make_policy, break_down) as (first, hops):

        async def request(_: int) -> Answer:
            try:
                await first()
            except Failed:
                return Answer(502, error="failed")
            return Answer(200)

        load = await closed_loop(request, in_flight=8, count=requests)
        return Load(requests, [hop.calls for hop in hops], len(load.answered))


def comparison(found: Mapping[str, Mapping[float, Load]]) -> Table:
    """Calls at the last service for each request, and requests answered, by the share of failures."""
    shares = next(iter(found.values()))
    columns = ["fails", *(f"calls: {name}" for name in found), *(f"answered: {name}" for name in found)]
    rows = []
    for share in shares:
        loads = [each[share] for each in found.values()]
        calls, answered = [load.amplification for load in loads], [load.answered for load in loads]
        rows.append((f"{100 * share:.0f} %", *calls, *answered))
    return Table(columns, rows)


@asynccontextmanager
async def chain(
    make_policy: Callable[[], Policy], last: Attempt
) -> AsyncIterator[tuple[Attempt, Sequence[Hop]]]:
    """The call that a user makes, and the services it passes, the first one first."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        hops = [Hop(last)]
        for _ in range(HOPS):
            url = await stack.enter_async_context(serving(hops[0]))
            hops.insert(0, Hop(calling(session, url, make_policy())))
        user = hops.pop(0)
        yield user.work, hops


def calling(session: aiohttp.ClientSession, url: str, policy: Policy) -> Attempt:
    """A call of the service at `url`, as the policy makes it."""

    async def once() -> None:
        async with session.get(url) as answer:
            if answer.status != 200:
                raise Failed

    async def call() -> None:
        await policy(once)

    return call
