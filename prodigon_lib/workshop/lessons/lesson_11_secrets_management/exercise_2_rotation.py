"""Rotate a key under load."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_11_secrets_management import rotation_process
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.issuer import Issuer
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.provider import serving_provider
from prodigon_lib.workshop.table import Table

HINTS = (
    "For a while there are two keys: one that new requests take, and one that those under way still need."
    " When may the second go? Somebody must count who uses it, and somebody must set an end.",
    "In use: keep this request's own Held in a variable, count it up, and down again in `finally`. In rotate:"
    " ask for the new key before anything changes, since that may fail; then change over in one step.",
    "new = Held(await self.issue()); old, self.held = self.held, new; then wait for old.unused.wait() with"
    " asyncio.wait_for and the lease, pass over its TimeoutError, and revoke old.key.",
)
LEASE = 1.5
SOON = 1.5
"""Seconds on top of the lease, for a busy machine."""
IN_FLIGHT = 16


class Load:
    """Keeps pieces of work in flight, and counts what became of them; `who` gets everybody who answered."""

    def __init__(self, session: aiohttp.ClientSession, who: set[str]) -> None:
        self.session, self.who = session, who
        self.answered, self.failed = 0, 0
        self.ending = False

    async def lane(self) -> None:
        while not self.ending:
            try:
                async with self.session.get("/work") as response:
                    self.who.add((await response.json())["who"])
                    self.answered += response.status == 200
                    self.failed += response.status != 200
            except (aiohttp.ClientError, OSError, ValueError):
                self.failed += 1
                await asyncio.sleep(0.05)  # as nobody is there, do not ask a thousand times

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        lanes = [asyncio.create_task(self.lane()) for _ in range(IN_FLIGHT)]
        try:
            yield
        finally:
            self.ending = True
            await asyncio.gather(*lanes)


class RotationCheck(Check):
    seconds = 28

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        attempt.get("RotatingKey")  # what can't even be loaded says so here
        self.attempt, self.findings = attempt, findings
        self.issuer, self.who = Issuer(attempt.random), set[str]()
        async with (
            serving_provider(self.issuer.answer) as url,
            self.service(url) as address,
            aiohttp.ClientSession(address, connector=aiohttp.TCPConnector(limit=0)) as self.session,
        ):
            try:
                await self.one_rotation()
                await self.two_at_once()
                await self.one_that_hangs()
                await self.a_broken_issuer()
            finally:
                self.issuer.released.set()

    @asynccontextmanager
    async def service(self, issuer: str) -> AsyncIterator[str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(rotation_process.__file__)), str(self.attempt.path),
            "RotatingKey", issuer, str(LEASE), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            yield (await process.stdout.readline()).decode().strip()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def rotate(self) -> int:
        """The status of one rotation, or 0 where nobody answered."""
        try:
            async with self.session.post("/rotate") as response:
                return response.status
        except (aiohttp.ClientError, OSError):
            return 0

    async def a_moment(self) -> None:
        await asyncio.sleep(self.attempt.random.uniform(0.3, 0.9))

    async def one_rotation(self) -> None:
        (old,) = self.issuer.alive
        load = Load(self.session, self.who)
        async with load.running():
            await self.a_moment()
            began = self.now()
            rotating = asyncio.create_task(self.rotate())
            await self.ended([old], began)
            await self.a_moment()
            status = await self.done("the rotation", rotating)
        self.nothing_failed("one rotation", load)
        with self.findings.together():
            self.findings.equal(
                "status of the rotation", status, 200, step="`rotate` must return, and not raise."
            )
            self.died([old], began)

    async def two_at_once(self) -> None:
        (old,) = self.issuer.alive
        load = Load(self.session, self.who)
        async with load.running():
            await self.a_moment()
            began = self.now()
            both = asyncio.gather(self.rotate(), self.rotate())
            await self.done("two rotations at once", both)
            await self.ended([old], began)
        self.nothing_failed("two rotations at once", load)
        self.findings.equal(
            "living keys after two rotations at once", len(self.issuer.alive), 1,
            step="Each rotation must end the key that it takes away: no await between the two.",
        )  # fmt: skip

    async def one_that_hangs(self) -> None:
        """A request that outlives the lease holds nothing up; everybody else is served."""
        (old,) = self.issuer.alive
        hanging = asyncio.create_task(self.held())
        load = Load(self.session, self.who)
        async with load.running():
            await self.a_moment()
            began = self.now()
            rotating = asyncio.create_task(self.rotate())
            await self.ended([old], began)
        self.died([old], began, "with a request that hangs on it")
        self.nothing_failed("a rotation with one request that hangs", load)
        self.issuer.released.set()
        await self.done("the rotation, with a request that hung", rotating)
        await hanging

    async def held(self) -> None:
        with suppress(aiohttp.ClientError, OSError):
            async with self.session.get("/work?hold"):
                pass

    async def a_broken_issuer(self) -> None:
        alive = list(self.issuer.alive)
        self.issuer.broken = True
        load = Load(self.session, self.who)
        async with load.running():
            await self.a_moment()
            status = await self.done("a rotation without a new key", asyncio.ensure_future(self.rotate()))
            await self.a_moment()
        self.nothing_failed("a rotation that got no new key", load)
        with self.findings.together():
            self.findings.equal(
                "status of a rotation that got no new key", status, 500,
                step="Let the error out: whoever rotates must know that nothing changed.",
            )  # fmt: skip
            self.findings.equal(
                "living keys are those before", self.issuer.alive == alive, True,
                step="Ask for the new key before you touch the old one.",
            )  # fmt: skip

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def done(self, what: str, work: Awaitable[object]) -> object:
        step = "It waits for something that never comes: set an end to the waiting."
        return await self.findings.finishes(what, work, within=LEASE + SOON + 1, step=step)

    async def ended(self, keys: list[str], began: float) -> None:
        """Until the keys are revoked, or their lease is over and somewhat more."""
        while any(key in self.issuer.alive for key in keys) and self.now() < began + LEASE + SOON:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    def died(self, keys: list[str], began: float, how: str = "") -> None:
        for key in keys:
            lived = self.issuer.ended.get(key, float("inf")) - began
            self.findings.expect(
                f"the old key is revoked {how}".strip(),
                measured="never" if lived == float("inf") else f"after {lived:.2f} s",
                wanted=f"within {LEASE:g} s, give or take {SOON:g}", holds=lived <= LEASE + SOON,
                step="Revoke the old key when nobody uses it, and at the end of the lease at the latest.",
            )  # fmt: skip

    def nothing_failed(self, when: str, load: Load) -> None:
        why = Table(["why the issuer refused", "requests"], self.issuer.refused.most_common())
        with self.findings.together():
            self.findings.equal(
                f"requests that failed during {when}, of {load.answered + load.failed}", load.failed, 0,
                step="A request needs its key to its end; a new one needs a key that is alive.", evidence=why,
            )  # fmt: skip
            self.findings.at_least(
                f"requests answered during {when}", load.answered, 5,
                step="Requests must go on while the key is changed: nothing may hold them up for long.",
            )  # fmt: skip
            self.findings.equal(
                "processes that answered so far", len(load.who), 1,
                step="Change the key within the running process: a restart loses what is under way.",
            )  # fmt: skip
