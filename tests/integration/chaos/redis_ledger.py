"""What Redis itself says of the queue: its append-only file has each result as it was written."""

import re
from collections import Counter
from pathlib import Path

from redis.asyncio import Redis

from tests.integration.chaos.ledger import Books

RESULT = re.compile(rb"HSET\r\n\$\d+\r\n(\S+:job:[0-9a-f-]{36})\r\n\$\d+\r\n([rc]\d+)\r\n", re.I)
OPEN = ("pending", "running")


async def read_redis_books(url: str) -> Books:
    """The same as of Postgres, which may have other jobs; no transaction is ever left open here.

    Raises:
        RedisError, OSError: it is away.
    """
    async with Redis.from_url(url, decode_responses=True, socket_timeout=5) as redis:
        folder = (await redis.config_get("dir"))["dir"]
        (clock,) = await redis.keys("*:clock")
        prefix = clock.removesuffix(":clock")
        queued = await redis.xlen(f"{prefix}:prompts") + await redis.zcard(f"{prefix}:delayed")
        unfinished, wrong = queued + await redis.zcard(f"{prefix}:leases"), 0
        async for key in redis.scan_iter(f"{prefix}:job:*", count=1000):
            if key.endswith(":prompts"):
                continue
            job = await redis.hgetall(key)
            states = [job.get(f"s{at}", "pending").split()[0] for at in range(int(job["total"]))]
            waiting = sum(state in OPEN for state in states)
            unfinished += waiting + (job["status"] in OPEN)
            wrong += waiting != int(job["remaining"])
        connections = len(await redis.client_list())
    written = Counter(found for log in logs(Path(folder)) for found in RESULT.findall(log))
    assert written, "the append-only file has no result in it"
    return Books(sum(count > 1 for count in written.values()), unfinished, wrong, connections, 0)


def logs(folder: Path) -> list[bytes]:
    """Redis 7 keeps several in a folder of their own, older ones have one file."""
    return [path.read_bytes() for path in sorted(folder.rglob("*.aof"))]
