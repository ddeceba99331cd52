"""A provider per tenant."""

import asyncio
from collections import Counter
from typing import Any

from prodigon_lib.workshop.asgi import Direct, Reply, started
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.tenants import Tenant
from prodigon_lib.workshop.table import Table

HINTS = (
    "The dictionary of clients has one key for everybody, so whoever comes first opens the client that"
    " all others get. Ask what makes two clients different, and let the key be all of that.",
    "A frozen dataclass is a good key: a tenant with a new key is another value. Between looking and"
    " keeping there is an await, where another request of the same tenant looks too; a lock closes that"
    " gap. One lock for each tenant.",
    "In overridden, copy the dictionary before you change it. After the yield, in a finally, make it"
    " equal to the copy again: clearing forgets older overrides, and removing your own keys forgets what"
    " they replaced.",
)
TENANTS, REQUESTS, AT_ONCE, UNKNOWN = 8, 1000, 40, 25


class World:
    """The directory, and clients that know who they are for."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.keys = {attempt.token(): attempt.token() for _ in range(TENANTS)}
        self.opened: Counter[Tenant] = Counter()
        self.closed: Counter[Tenant] = Counter()
        self.slow: dict[str, asyncio.Event] = {}
        self.failing: set[str] = set()
        self.begun = asyncio.Event()
        self.app: Any = attempt.get("create_app")(self, self.open)

    async def find(self, name: str) -> Tenant | None:
        await self.pause()
        return Tenant(name, self.keys[name]) if name in self.keys else None

    async def open(self, tenant: Tenant) -> "Echo":
        self.opened[tenant] += 1
        self.begun.set()
        if tenant.name in self.slow:
            await self.slow[tenant.name].wait()
        await self.pause()
        if tenant.name in self.failing:
            raise ConnectionError("the tenant's model is away")
        return Echo(self, tenant)

    async def pause(self) -> None:
        """Lets others run, for a time that nobody can foresee."""
        for _ in range(self.attempt.random.randint(1, 4)):
            await asyncio.sleep(0)

    async def ask(self, service: Direct, name: str, key: str = "") -> tuple[Reply, bool]:
        """A reply, and whether it was made for this tenant and with its key."""
        prompt = self.attempt.token(6)
        wanted = {"tenant": name, "text": f"{key or self.keys.get(name)}:{prompt}"}
        reply = await service.ask("POST", "/ask", {"prompt": prompt}, headers={"X-Tenant": name})
        return reply, reply.status == 200 and reply.json() == wanted


class Echo:
    """A client whose answers say with which key they were made."""

    def __init__(self, world: World, tenant: Tenant) -> None:
        self._world, self._tenant = world, tenant

    async def generate(self, prompt: str) -> str:
        await self._world.pause()
        if self._world.closed[self._tenant]:
            raise RuntimeError("this client was closed")
        return f"{self._tenant.key}:{prompt}"

    async def close(self) -> None:
        self._world.closed[self._tenant] += 1


class TenantProviderCheck(Check):
    seconds = 20

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        await a_thousand(attempt, findings)
        await a_changed_key(attempt, findings)
        await a_slow_one(attempt, findings)
        await overrides(attempt, findings)


async def a_thousand(attempt: Attempt, findings: Findings) -> None:
    world = World(attempt)
    names = [*world.keys, *attempt.random.choices(list(world.keys), k=REQUESTS - TENANTS)]
    attempt.random.shuffle(names)
    strangers = [attempt.token() for _ in range(UNKNOWN)]
    places = asyncio.Semaphore(AT_ONCE)
    async with started(world.app) as service:

        async def send(name: str) -> tuple[Reply, bool]:
            async with places:
                return await world.ask(service, name)

        replies = await findings.finishes(
            f"{REQUESTS} interleaved requests", asyncio.gather(*map(send, names)), within=10,
            step="Look for a lock that is never given back.",
        )  # fmt: skip
        failed = [reply.said for reply, _ in replies if reply.status != 200]
        findings.equal(
            "requests that failed", f"{len(failed)}, the first: {failed[0]}" if failed else "none", "none",
            step="Start at the error in the first answer.",
        )  # fmt: skip
        crossed = Counter(name for name, (_, own) in zip(names, replies, strict=True) if not own)
        findings.equal(
            "replies made for, or with the key of, another tenant", crossed.total(), 0,
            step="Let the client's place in the dictionary depend on the tenant, and pass the tenant"
            " as an argument.",
            evidence=Table(["tenant", "requests", "crossed"],
                           [(name, count, crossed[name]) for name, count in Counter(names).items()]),
        )  # fmt: skip
        opened = sorted(world.opened.values())
        findings.equal(
            "clients opened for each of the tenants", opened, [1] * TENANTS,
            step="Two requests of one tenant may come first together: only one may open the client.",
        )  # fmt: skip
        refused = [(await world.ask(service, name))[0].status for name in strangers]
        findings.equal(
            "strangers refused with 404; clients opened for them",
            [refused.count(404), world.opened.total() - TENANTS], [UNKNOWN, 0],
            step="Ask for the tenant by Depends(current_tenant): it refuses before anything is opened.",
        )  # fmt: skip
        findings.equal(
            "clients closed while requests may still come", world.closed.total(), 0,
            step="A client lives as long as the application, not as one request.",
        )  # fmt: skip
    findings.equal(
        "times that each was closed after the end", sorted(world.closed.values()), [1] * TENANTS,
        step="Close all of them when the lifespan ends, each once.",
    )  # fmt: skip


async def a_changed_key(attempt: Attempt, findings: Findings) -> None:
    """Settings change while the service runs."""
    world = World(attempt)
    name = attempt.random.choice(list(world.keys))
    async with started(world.app) as service:
        before = (await world.ask(service, name))[1]
        world.keys[name] = attempt.token()
        after = (await world.ask(service, name))[1]
        findings.equal(
            "replies made with the tenant's key of that time, before and after it changed", (before, after),
            (True, True), step="Let the whole tenant be the key of its client, not its name alone.",
        )  # fmt: skip


async def a_slow_one(attempt: Attempt, findings: Findings) -> None:
    """A tenant whose client is slow to open, then one whose client can't be opened at first."""
    world = World(attempt)
    slow, failing, *others = world.keys
    world.slow[slow] = asyncio.Event()
    world.failing.add(failing)
    async with started(world.app) as service:
        waiting = asyncio.ensure_future(world.ask(service, slow))
        begun = asyncio.ensure_future(world.begun.wait())
        await asyncio.wait({waiting, begun}, return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        replies = await findings.finishes(
            f"requests of {len(others)} tenants while another's client is still opening",
            asyncio.gather(*(world.ask(service, name) for name in others)), within=2,
            step="Hold a lock of that tenant alone while its client opens.",
        )  # fmt: skip
        world.slow[slow].set()
        replies.append(await findings.finishes(
            "the slow tenant's own request, once its client is there", waiting, within=2,
            step="Look for what it waits for.",
        ))  # fmt: skip
        findings.equal("of these, answered rightly", sum(own for _, own in replies), len(replies),
                       step="Give each the client of its own tenant.")  # fmt: skip
        first = (await world.ask(service, failing))[0].status
        world.failing.clear()
        second = (await world.ask(service, failing))[0].said
        findings.equal(
            "a tenant whose model was away at first: its two answers", (first >= 500, second), (True, "200"),
            step="Keep a client only once it is open; forget an attempt that failed.",
        )  # fmt: skip


async def overrides(attempt: Attempt, findings: Findings) -> None:
    """What a test replaces, the next test must not meet."""
    world = World(attempt)
    overridden, current = attempt.get("overridden"), attempt.get("current_tenant")
    name = attempt.random.choice(list(world.keys))
    outer, inner = Tenant(attempt.token(), attempt.token()), Tenant(attempt.token(), attempt.token())
    app, other = world.app, attempt.get("tenant_client")
    async with started(app) as service:

        async def served() -> str:
            reply = await service.ask("POST", "/ask", {"prompt": "p"}, headers={"X-Tenant": name})
            return str(reply.json()["tenant"]) if reply.status == 200 else reply.said

        seen = [await served()]
        with overridden(app, {current: lambda: outer}):
            seen.append(await served())
            with overridden(app, {current: lambda: inner}):
                seen.append(await served())
            seen.append(await served())
        seen.append(await served())
        findings.equal(
            "whose request it was: outside, in a test, in one inside it, and on the way out", seen,
            [name, outer.name, inner.name, outer.name, name],
            step="Put back what was there before the block, not nothing.",
        )  # fmt: skip
        mine = dict.fromkeys([other], lambda: Echo(world, outer))
        app.dependency_overrides.update(mine)
        caught = ""
        try:
            with overridden(app, {current: lambda: inner}):
                raise LookupError("a test failed")
        except LookupError as error:
            caught = str(error)
        left = dict(app.dependency_overrides)
        with findings.together():
            findings.equal(
                "a test's own error, as it comes out", caught, "a test failed",
                step="Let the error go on, or a failing test looks like a passing one.",
            )  # fmt: skip
            findings.expect(
                "overrides after a test that failed", measured="as before" if left == mine else "others",
                wanted="as before", holds=left == mine,
                step="Restore in a finally, and keep the overrides that were there before.",
            )  # fmt: skip
