"""What each deployment costs at rest, at a restart, and on the way of a request."""

import asyncio
import time
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from statistics import median

import psutil

from prodigon_lib.core.locations import PACKAGE
from prodigon_lib.stack import Stack
from prodigon_lib.workshop.lessons.lesson_02_microservices_vs_monolith.outages import MEGABYTE, endpoints
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.table import Table

BEHIND = ("postgres", "proxy")
ROUNDS = 5

CONNECTIONS = ("answer", "connection", "dial", "door", "faults", "origin", "pool")

WIRE = (
    *(f"transport/connections/{module}.py" for module in CONNECTIONS),
    "transport/http.py",
    "transport/jobs.py",
    "transport/model.py",
    "transport/addresses.py",
    "transport/breaker.py",
    "transport/retry_budget.py",
    "worker/routes.py",
    "model/inference.py",
)
"""Modules that the monolith would not need: clients, routes, and what to do when the other side is away."""


def memory(stack: Stack) -> dict[str, float]:
    """Megabytes resident, by process; Postgres, the same for all, is left out."""
    parts = [part for part in stack.status() if part.name not in BEHIND and part.pid is not None]
    return {part.name: psutil.Process(part.pid).memory_info().rss / MEGABYTE for part in parts}


async def restart_seconds(stack: Stack, service: str) -> float:
    """From the order to stop until it is healthy again: what it takes to bring a change of `service` live."""
    began = time.perf_counter()
    await asyncio.to_thread(stack.restart_service, service)
    return time.perf_counter() - began


async def restarts(stacks: Mapping[str, Stack], service: str) -> dict[str, float]:
    """`restart_seconds` of each, at the same time."""
    took = await asyncio.gather(*(restart_seconds(stack, service) for stack in stacks.values()))
    return dict(zip(stacks, took, strict=True))


async def hop_times(stacks: Mapping[str, Stack], *, requests: int = 15) -> dict[tuple[str, str], float]:
    """Median milliseconds of each kind of request, by deployment and endpoint; one at a time, in turns."""
    times: dict[tuple[str, str], list[float]] = {}
    for _, (name, stack) in product(range(ROUNDS), stacks.items()):
        for endpoint, target in endpoints(stack.url).items():
            load = await closed_loop(target, in_flight=1, count=requests)
            found = times.setdefault((name, endpoint), [])
            found.append(1000 * load.service_times().percentile(50))
    return {key: median(found) for key, found in times.items()}


def lines_of(*modules: str) -> int:
    """Lines of code in modules of the library, named by their paths in it; blank ones do not count."""
    texts = (Path(PACKAGE, module).read_text(encoding="utf-8") for module in modules)
    return sum(bool(line.strip()) for text in texts for line in text.splitlines())


def hop_table(times: Mapping[tuple[str, str], float], guess: float | None = None) -> Table:
    """Endpoints as rows, deployments as columns, and what is between them."""
    names, kinds = (list(dict.fromkeys(key[place] for key in times)) for place in (0, 1))
    rows: list[list[object]] = []
    for kind in kinds:
        found = [times[name, kind] for name in names]
        rows.append([kind, *found, found[-1] - found[0]])
    if guess is not None:
        rows.append(["chat, your guess of the difference", *([None] * len(names)), guess])
    return Table(["median, ms", *names, "difference"], rows)
