"""One key of one service, replaced under load in three ways."""

import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from prodigon_lib.workshop.lessons.lesson_11_secrets_management import keys, rotation_process
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.issuer import MOST_SECONDS, Issuer
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.provider import serving_provider
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.look import BLUE, INK, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Target

CLASSES = {"a restart": "FromTheEnvironment", "two keys at once": "FromAFile", "leases": "Leased"}
SECONDS, IN_FLIGHT = 5.0, 20
ROTATE_AT = 1.5
OVERLAP = 3 * MOST_SECONDS
"""How long both keys are valid: longer than the longest piece of work."""
LEASE = 6 * MOST_SECONDS
EVERY = 0.5
"""How often each of those in flight sends: less often than the longest piece of work takes."""


@dataclass(frozen=True)
class Rotation:
    """One way, under load.

    Args:
        at: the second of the rotation; with leases there are many, and none is ordered.
        lived: seconds that each key was valid; one that was valid to the end counts until then.
    """

    way: str
    load: LoadResult
    at: float | None
    lived: Sequence[float]

    @property
    def failed(self) -> int:
        return len(self.load.samples) - len(self.load.answered)


class Service:
    """A process that may be started anew on the same port."""

    def __init__(self, way: str, issuer: str) -> None:
        self.command = [sys.executable, str(Path(rotation_process.__file__)), str(Path(keys.__file__))]
        self.command += [CLASSES[way], issuer, str(LEASE)]
        self.port = 0
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, variables: Mapping[str, str]) -> str:
        """Its URL, once it answers there."""
        self.process = await asyncio.create_subprocess_exec(
            *self.command, str(self.port), env=os.environ | variables, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        url = (await self.process.stdout.readline()).decode().strip()
        self.port = int(url.rpartition(":")[2])
        return url

    async def stop(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


async def rotate(way: str, *, seed: int = 0) -> Rotation:
    """Load on a service whose key is replaced in this way: `a restart`, `two keys at once` or `leases`."""
    issuer = Issuer(random.Random(seed), lease=LEASE if way == "leases" else None)
    async with AsyncExitStack() as cleaning:
        service = Service(way, await cleaning.enter_async_context(serving_provider(issuer.answer)))
        cleaning.push_async_callback(service.stop)
        file = Path(cleaning.enter_context(tempfile.TemporaryDirectory(prefix="prodigon-keys-"))) / "key"
        first = issuer.new_key() if way != "leases" else ""
        file.write_text(first)
        url = await service.start({keys.VARIABLE: first, keys.FILE: str(file)})
        target = Target(f"{url}/work")
        loading = asyncio.create_task(closed_loop(target, in_flight=IN_FLIGHT, seconds=SECONDS, every=EVERY))
        await asyncio.sleep(ROTATE_AT)
        if way == "a restart":
            await with_a_restart(service, issuer, first)
        elif way == "two keys at once":
            await with_two_keys(file, issuer, first)
        load = await loading
    now = asyncio.get_running_loop().time()
    lived = [issuer.ended.get(key, now) - began for key, began in issuer.began.items()]
    return Rotation(way, load, None if way == "leases" else ROTATE_AT, lived)


async def with_a_restart(service: Service, issuer: Issuer, old: str) -> None:
    new = issuer.new_key()
    issuer.end(old)
    await service.stop()
    await service.start({keys.VARIABLE: new})


async def with_two_keys(file: Path, issuer: Issuer, old: str) -> None:
    """The new key first, the old one's end last; the file is replaced in one step, and never half written."""
    beside = file.with_suffix(".new")
    beside.write_text(issuer.new_key())
    beside.replace(file)
    await asyncio.sleep(OVERLAP)
    issuer.end(old)


def rotations_table(rotations: Sequence[Rotation]) -> Table:
    return Table(
        ["way", "requests", "failed", "keys", "a stolen key is good for, s"],
        [
            (each.way, len(each.load.samples), each.failed, len(each.lived), max(each.lived))
            for each in rotations
        ],
    )


def rotations_plot(rotations: Sequence[Rotation], guess: Mapping[str, int] | None = None) -> Picture:
    """Each request when it ended; those that failed stand out."""
    plot = Plot(height=1.3 * len(rotations) + 0.7, rows=len(rotations))
    for axes, each in zip(plot.axes, rotations, strict=True):
        for ok, colour, row in ((True, BLUE, 0), (False, ORANGE, 1)):
            ended = [sample.ended for sample in each.load.samples if sample.ok is ok]
            axes.scatter(ended, [row] * len(ended), marker="|", s=120, color=colour, linewidth=1)
        if each.at is not None:
            axes.axvline(each.at, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        expected = f" (your guess: {guess[each.way]})" if guess else ""
        axes.set(yticks=[], ylim=(1.7, -0.7), xlim=(0, None))
        axes.set_title(f"{each.way}: {each.failed} failed{expected}", loc="left", fontsize=10)
    plot.axes[-1].set_xlabel("seconds; above what was answered, below what failed; dashed: the rotation")
    words = "; ".join(f"{each.way} {each.failed} of {len(each.load.samples)} failed" for each in rotations)
    return plot.finish(f"A key replaced under load: {words}")
