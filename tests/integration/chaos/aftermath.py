"""What must hold after each fault, whichever it was: nothing lost, doubled, left running or leaked."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import psutil
from redis.exceptions import RedisError

from prodigon_lib import Stack
from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.probe import get
from tests.integration.chaos.ledger import Books, open_ledger, read_books
from tests.integration.chaos.redis_ledger import read_redis_books
from tests.polling import eventually

FIGURES = {
    "tasks": "prodigon_asyncio_tasks",
    "requests": "prodigon_http_requests_in_flight",
    "calls": "prodigon_model_calls_in_flight",
}
MORE_FILES = 40
"""A pool of connections may have grown to its bound."""
MORE_TASKS = 15
MORE_BYTES = 96 * 1024 * 1024
"""Memory that a burst has needed once is not always given back; a leak is judged by a second burst."""
MOST_CONNECTIONS = 60
"""The pools of one gateway and three workers, and their listeners."""

SETTLED_WITHIN = 45.0


@dataclass(frozen=True, slots=True)
class Process:
    """One service as it is now."""

    pid: int
    files: int
    memory: int
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Before:
    """How the services were before anything was done to them."""

    processes: Mapping[str, Process]

    @classmethod
    async def look(cls, stack: Stack) -> "Before":
        """Also opens the ledger."""
        await open_ledger(stack.database_url)
        return cls(await eventually(lambda: processes_of_all(stack), within=SETTLED_WITHIN, every=0.3))

    def leaks(self, now: Mapping[str, Process]) -> list[str]:
        """In words, what there is more of than before. A process that is new has nothing of before."""
        found = []
        for name, process in now.items():
            before = self.processes[name]
            for what, more in (("tasks", MORE_TASKS), ("requests", 0), ("calls", 0)):
                if process.figures.get(what, 0.0) > before.figures.get(what, 0.0) + more:
                    found.append(f"{name} has {process.figures[what]:g} {what} more or less")
            if process.files > before.files + MORE_FILES:
                found.append(f"{name} has {process.files} open files, not {before.files}")
            if process.memory > before.memory + MORE_BYTES:
                found.append(f"{name} has {process.memory >> 20} MB, not {before.memory >> 20}")
        return found


async def processes(stack: Stack) -> dict[str, Process]:
    found = {}
    for part in await asyncio.to_thread(lambda: list(stack.status())):
        if part.service in ("gateway", "model", "worker"):
            if not part.pid or not part.port:
                raise ConnectionError(f"{part.name} is not there")
            process = psutil.Process(part.pid)
            figures = await figures_of(part.port)
            found[part.name] = Process(part.pid, process.num_fds(), process.memory_info().rss, figures)
    return found


async def processes_of_all(stack: Stack) -> dict[str, Process] | None:
    """`None` while one is not there: who was told to end does its work first, and so may go only after it was
    seen healthy."""
    try:
        return await processes(stack)
    except (OSError, psutil.NoSuchProcess, StackError):
        return None


async def figures_of(port: int) -> dict[str, float]:
    _, body = await get(port, "/metrics")
    text = body.decode()
    return {name: metric(text, figure) for name, figure in FIGURES.items()}


def metric(text: str, name: str, **labels: str) -> float:
    """The sum of a metric over all its labels but those given."""
    lines = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.M)
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(float(value) for about, value in lines if all(pair in about for pair in wanted))


async def all_healthy(stack: Stack) -> None:
    """Returns once every service is up, those too that have only just ended and are being revived."""

    async def healthy() -> bool:
        try:
            return (await asyncio.to_thread(stack.status)).healthy
        except StackError:
            return False

    await eventually(healthy, within=SETTLED_WITHIN, every=0.1)


async def all_books(stack: Stack) -> list[Books]:
    """Those of Postgres, and of Redis where that keeps the queue."""
    books = [await read_books(stack.database_url)]
    if stack.redis_url is not None:
        books.append(await read_redis_books(stack.redis_url))
    return books


async def check_aftermath(stack: Stack, before: Before) -> None:
    """The shared set of assertions. The caller has checked the answers themselves."""

    async def finished() -> bool:
        try:
            return all(books.unfinished == 0 for books in await all_books(stack))
        except (OSError, asyncpg.PostgresError, RedisError):
            return False

    await all_healthy(stack)
    await eventually(finished, within=SETTLED_WITHIN, every=0.1)
    for books in await all_books(stack):
        assert (books.twice, books.wrong, books.in_transaction) == (0, 0, 0), books
        assert books.connections <= MOST_CONNECTIONS
    left: list[str] = []

    async def nothing_leaked() -> bool:
        now = await processes_of_all(stack)
        left[:] = before.leaks(now) if now is not None else ["a service is not there"]
        return not left

    try:
        await eventually(nothing_leaked, within=SETTLED_WITHIN, every=0.3)
    except AssertionError:
        raise AssertionError("; ".join([*left, *connections(stack)])) from None


def connections(stack: Stack) -> list[str]:
    """Of each service, in words: how many in which state, on whose port. It tells whose a leak is."""
    said = []
    for part in stack.status():
        if part.pid is None or not psutil.pid_exists(part.pid):
            continue
        found = psutil.Process(part.pid).net_connections("inet")
        counts = Counter(
            (each.status, "here" if each.laddr.port == part.port else (each.raddr or each.laddr).port)
            for each in found
        )
        said.append(f"{part.name}: {counts.most_common(4)}")
    return said
