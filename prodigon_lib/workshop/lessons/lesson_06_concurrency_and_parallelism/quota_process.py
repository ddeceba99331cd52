"""A process that spends, for exercise 6.3. Several of them spend at the same time.

python quota_process.py ANSWER DSN

It says "ready" once its connections are open. Each line on its input is an order with `spends`, each with its
`names` and `amount`, answered by a line with `outcomes`: true, false, or the text of what was raised.
"""

import asyncio
import importlib.util
import json
import sys
from collections.abc import Callable
from typing import Any

import asyncpg

CONNECTIONS = 3


def load(path: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location("quota", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["quota"] = module
    spec.loader.exec_module(module)
    found: Callable[..., Any] = module.spend
    return found


async def main(answer: str, dsn: str) -> None:
    spend = load(answer)
    connections = [await asyncpg.connect(dsn) for _ in range(CONNECTIONS)]
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        outcomes = await outcomes_of(spend, json.loads(line)["spends"], connections)
        print(json.dumps({"outcomes": outcomes}), flush=True)
    for connection in connections:
        await connection.close()


async def outcomes_of(spend: Callable[..., Any], spends: list[Any], connections: list[Any]) -> list[Any]:
    """In the order of the spends; as many at once as there are connections."""
    outcomes: list[Any] = [None] * len(spends)
    waiting = iter(list(enumerate(spends)))

    async def work(connection: Any) -> None:
        for place, each in waiting:
            try:
                outcomes[place] = bool(await spend(connection, each["names"], each["amount"]))
            except Exception as error:
                outcomes[place] = f"{type(error).__name__}: {error}"

    await asyncio.gather(*(work(connection) for connection in connections))
    return outcomes


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
