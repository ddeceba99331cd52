"""One process of the queue benchmark; says what it saw as one line of JSON.

python -m tests.benchmarks.queue_process MODULE:CLASS reset
    … fill N | enqueue SECONDS N | drain VARIANT SECONDS | wait VARIANT SECONDS | pick-up N

The two workers, `drain` and `wait`, print a line once connected, begin when a line comes in, and end when
nothing is left to drain, when the input ends, or after so many seconds.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Coroutine
from importlib import import_module
from typing import Any

from tests.benchmarks.queue_systems import Adapter, Hits, emptied, now, settled

IDLE_SECONDS = 1.5
"""A worker that does not end by itself is done when nothing came for so long."""
AT_ONCE = 16
BULK = 1000

Said = dict[str, Any]


async def reset(adapter: Adapter) -> Said:
    await emptied()
    await adapter.reset()
    return {}


async def fill(adapter: Adapter, n: int) -> Said:
    await reset(adapter)
    await adapter.open()
    await adapter.fill(n)
    await adapter.close()
    await settled()
    return {}


async def enqueue(adapter: Adapter, seconds: float, n: int) -> Said:
    """Jobs a second: one caller, sixteen at once, and a thousand a call, `n` in all."""
    await reset(adapter)
    await adapter.open()
    await asyncio.gather(*(adapter.enqueue(0) for _ in range(50)))
    alone = await enqueue_rate(adapter, 1, seconds)
    together = await enqueue_rate(adapter, AT_ONCE, seconds)
    began = time.perf_counter()
    for _ in range(n // BULK):
        await adapter.bulk(BULK)
    bulk = n / (time.perf_counter() - began)
    await adapter.close()
    return {"alone": alone, "together": together, "bulk": bulk}


async def enqueue_rate(adapter: Adapter, callers: int, seconds: float) -> float:
    done, began = 0, time.perf_counter()

    async def call() -> None:
        nonlocal done
        while time.perf_counter() < began + seconds:
            await adapter.enqueue(0)
            done += 1

    await asyncio.gather(*(call() for _ in range(callers)))
    return done / (time.perf_counter() - began)


async def work(adapter: Adapter, variant: str, seconds: float, *, wait: bool) -> Said:
    hits, went = Hits(), asyncio.Event()
    begun = 0

    async def ready() -> None:
        nonlocal begun
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        begun = now()
        went.set()

    working = asyncio.ensure_future(adapter.work(hits, variant, wait, ready))
    await asyncio.wait((working, asyncio.ensure_future(went.wait())), return_when=asyncio.FIRST_COMPLETED)
    stopped = asyncio.ensure_future(input_end() if wait else idle(hits))
    await asyncio.wait((working, stopped), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    failed = working.exception() if working.done() and not working.cancelled() else None
    return {
        "jobs": hits.n,
        "begun": begun,
        "last": hits.last,
        "latencies": hits.latencies,
        "error": repr(failed) if failed else None,
    }


async def input_end() -> None:
    await asyncio.to_thread(sys.stdin.read)


async def idle(hits: Hits) -> None:
    """Return once something came and then nothing did for `IDLE_SECONDS`."""
    quiet = 0.0
    while quiet < IDLE_SECONDS:
        await asyncio.sleep(max(0.05, IDLE_SECONDS - quiet))
        quiet = (now() - hits.last) / 1e9 if hits.n else 0.0


async def pick_up(adapter: Adapter, n: int) -> Said:
    """Enqueue one at a time, to a worker that waits."""
    await adapter.open()
    await adapter.enqueue(now())
    await asyncio.sleep(1)
    for _ in range(n):
        await adapter.enqueue(now())
        await asyncio.sleep(random.uniform(0.03, 0.08))
    await asyncio.sleep(0.5)
    await adapter.close()
    return {"sent": n}


def action(adapter: Adapter, name: str, arguments: list[str]) -> Coroutine[Any, Any, Said]:
    match name, arguments:
        case "reset", []:
            return reset(adapter)
        case "fill", [n]:
            return fill(adapter, int(n))
        case "enqueue", [seconds, n]:
            return enqueue(adapter, float(seconds), int(n))
        case "drain" | "wait", [variant, seconds]:
            return work(adapter, variant, float(seconds), wait=name == "wait")
        case "pick-up", [n]:
            return pick_up(adapter, int(n))
    raise SystemExit(__doc__)


def main(system: str, name: str, *arguments: str) -> None:
    module, _, kind = system.partition(":")
    coroutine = action(getattr(import_module(module), kind)(), name, list(arguments))
    try:
        import uvloop
    except ImportError:
        said = asyncio.run(finished(coroutine))
    else:
        said = uvloop.run(finished(coroutine))
    print(json.dumps(said), flush=True)


async def finished(coroutine: Coroutine[Any, Any, Said]) -> Said:
    """As `coroutine`; a worker ends here at once, as it may be one that no cancellation ends."""
    said = await coroutine
    if "jobs" in said:
        print(json.dumps(said), flush=True)
        os._exit(0)
    return said


if __name__ == "__main__":
    main(*sys.argv[1:])
