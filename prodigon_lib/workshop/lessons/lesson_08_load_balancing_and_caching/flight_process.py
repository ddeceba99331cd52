"""A process in which an answer to exercise 8.3 is asked for values, as often as it is told.

python flight_process.py ANSWER REDIS_URL LEASE_SECONDS

Each line on its input is an order, answered by a line on its output. What a fetch does, the order says; each
counts itself in Redis before it does anything, so that the fetches of all processes are known.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from prodigon_lib.persistence.redis import open_redis
from prodigon_lib.workshop.checks.loading import load_module

FETCHES = "fetches of "


class Asker:
    def __init__(self, flight: Any, redis: Redis) -> None:
        self.flight, self.redis = flight, redis

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Ask `callers` times at once, in turn for each key; the first `leave` go away while it runs."""
        began = asyncio.get_running_loop().time()
        keys = order["keys"]
        asking = [
            asyncio.create_task(self.ask(keys[number % len(keys)], order))
            for number in range(order["callers"])
        ]
        leave = order.get("leave", 0) if asking else 0
        if leave:
            await self.under_way(keys[0])
            for task in asking[:leave]:
                task.cancel()
        results = await asyncio.gather(*asking, return_exceptions=True)
        values = Counter(repr(result) for result in results[leave:])
        return {"values": values, "seconds": asyncio.get_running_loop().time() - began}

    async def ask(self, key: str, order: dict[str, Any]) -> str:
        async def fetch() -> str:
            count = int(await self.redis.incr(FETCHES + key))
            if count == 1 and order.get("first") == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            await asyncio.sleep(order["fetch_seconds"])
            if count == 1 and order.get("first") == "raises":
                raise ValueError("the first fetch fails")
            return f"{key} as of fetch {count}"

        return str(await self.flight.get(key, fetch, seconds=60))

    async def under_way(self, key: str) -> None:
        """Until somebody fetches, here or elsewhere; for two seconds at most."""
        for _ in range(400):
            if await self.redis.exists(FETCHES + key):
                return
            await asyncio.sleep(0.005)


async def main(answer: str, url: str, lease: str) -> None:
    module = load_module(Path(answer))
    own, counting = open_redis(url, pool_size=200), open_redis(url, pool_size=200)
    asker = Asker(module.SingleFlight(own, lease=float(lease)), counting)
    await own.ping()
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await asker.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
