"""A process of its own that asks an answer to exercise 8.2 once, and prints what it got at which price.

python cache_process.py ANSWER REDIS_URL TEMPLATE < REQUEST
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from prodigon_lib.workshop.checks.loading import load_module


async def main(answer: str, url: str, template: str) -> None:
    module = load_module(Path(answer))
    calls = 0

    async def model(_asked: Any) -> str:
        nonlocal calls
        calls += 1
        return "asked anew, by another process"

    async with Redis.from_url(url) as redis:
        asked = module.Asked(**json.load(sys.stdin))
        text = await module.Answers(redis, model, template=template).answer(asked)
    print(json.dumps({"text": text, "calls": calls}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
