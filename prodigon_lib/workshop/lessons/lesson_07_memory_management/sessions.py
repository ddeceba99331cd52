"""What chat sessions cost: in a process's memory, in Postgres, and while they stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import asyncpg

from prodigon_lib.stack import Stack
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.memory import footprint

IN_FLIGHT = 16
WARM = 60
TOKENS_UNTIL_HELD = 4
SIZE = "SELECT pg_total_relation_size('chat_sessions')"


Cost = dict[str, float]
"""Kilobytes that each session, or each open stream, adds to whom."""


def session(number: int) -> dict[str, str]:
    """What is known of a session when it begins; some hundred characters, others each time."""
    return {
        "title": f"Chat {number}",
        "system_prompt": f"{number}: " + "You know what a session costs. " * 12,
    }


async def store(stack: Stack, count: int) -> Cost:
    """Sessions that are written through the gateway."""
    gateway = stack.status().pids["gateway"]
    async with aiohttp.ClientSession(f"{stack.url}") as http:

        async def one(number: int) -> None:
            path = "/api/v1/chat/sessions"
            async with http.post(path, json=session(number), raise_for_status=True) as answer:
                await answer.read()

        await closed_loop(one, in_flight=IN_FLIGHT, count=WARM)
        memory, rows = footprint(gateway).resident, await size(stack)
        result = await closed_loop(one, in_flight=IN_FLIGHT, count=count)
    assert not result.errors, result.errors
    grown = footprint(gateway).resident - memory
    return {"gateway": 1000 * grown / count, "Postgres": (await size(stack) - rows) / 1000 / count}


async def size(stack: Stack) -> int:
    """Bytes of the sessions' table and its indexes."""
    connection = await asyncpg.connect(stack.database_url)
    try:
        return int(await connection.fetchval(SIZE))
    finally:
        await connection.close()


async def stream(stack: Stack, count: int) -> Cost:
    """Streams that stand open at once: each had its first tokens, and waits for the others."""
    pids = {name: stack.status().pids[name] for name in ("gateway", "model")}
    stall = {"stall_rate": 1.0, "stall_after": TOKENS_UNTIL_HELD, "stall_seconds": 60.0}
    await asyncio.to_thread(lambda: stack.simulated.set(faults=stall))
    try:
        async with open_streams(stack, WARM):
            pass
        before = {name: footprint(pid).resident for name, pid in pids.items()}
        async with open_streams(stack, count):
            during = {name: footprint(pid).resident for name, pid in pids.items()}
    finally:
        await asyncio.to_thread(lambda: stack.simulated.set(faults={}))
    return {name: 1000 * (during[name] - before[name]) / count for name in pids}


@asynccontextmanager
async def open_streams(stack: Stack, count: int) -> AsyncIterator[None]:
    """Each has brought its first token when the block begins."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(stack.url, connector=connector) as http, AsyncExitStack() as opened:

        async def one(number: int) -> None:
            body = {"prompt": f"{number}: what is a stream?"}
            answer = await opened.enter_async_context(
                http.post("/api/v1/generate/stream", json=body, raise_for_status=True)
            )
            await answer.content.readany()

        await closed_loop(one, in_flight=IN_FLIGHT, count=count)
        yield
