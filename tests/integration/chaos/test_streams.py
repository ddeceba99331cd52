"""Streams whose readers leave, dawdle, or come two thousand at once; a gateway that ends among them."""

import asyncio
import random

import psutil

from prodigon_lib import Stack
from tests.integration.chaos.aftermath import processes
from tests.integration.chaos.clients import GENERATE, Callers, Outcome
from tests.polling import eventually

STREAMS = 1000
AT_ONCE = 100
CROWD = 2000
LONG = {"prompt": "What is a lease? Tell me all of it.", "max_tokens": 400}
PACED = "groq-llama-3.1-8b"


async def drop_many(crowd: Callers, chance: random.Random, count: int) -> list[Outcome]:
    lanes = asyncio.Semaphore(AT_ONCE)

    async def one(tokens: int) -> Outcome:
        async with lanes:
            return await crowd.stream(LONG, leave_after=tokens)

    return list(await asyncio.gather(*(one(chance.randint(1, 60)) for _ in range(count))))


async def memory(stack: Stack) -> dict[str, int]:
    return {name: process.memory for name, process in (await processes(stack)).items()}


async def test_a_thousand_streams_are_dropped_by_their_readers(
    stack: Stack, crowd: Callers, seed: int
) -> None:
    """No call to the model is left, and the second half of them takes no more memory than the first."""
    stack.simulated.set(profile=PACED)
    chance = random.Random(f"{seed} streams")
    try:
        first = await drop_many(crowd, chance, STREAMS // 2)
        between = await memory(stack)
        second = await drop_many(crowd, chance, STREAMS // 2)
    finally:
        stack.simulated.set(profile="instant")
    assert sum(outcome.broke == "left" for outcome in first + second) > STREAMS * 0.9

    async def calls() -> float:
        found = await processes(stack)
        return sum(found[name].figures["calls"] for name in found if name.startswith("model"))

    async def none() -> bool:
        return await calls() == 0

    await eventually(none, within=5.0)
    after = await memory(stack)
    assert all(after[name] <= between[name] * 1.10 for name in between), (between, after)


async def test_slow_readers_hold_up_nobody(stack: Stack, crowd: Callers, seed: int) -> None:
    """Twenty read a long answer drop by drop; what they do not read is not piled up, and others go on."""
    slow = [asyncio.create_task(crowd.stream({**LONG, "max_tokens": 8192}, pause=0.2)) for _ in range(20)]
    gateway = psutil.Process(stack.status().part("gateway").pid)
    before = gateway.memory_info().rss
    for _ in range(20):
        answer = await crowd.post(GENERATE, {"prompt": "Hello", "max_tokens": 8})
        assert answer.ok
        assert answer.seconds < 5.0
    assert gateway.memory_info().rss - before < 40 * 1024 * 1024
    outcomes = await asyncio.gather(*slow)
    assert all(outcome.ok for outcome in outcomes)


async def test_a_gateway_restarted_during_streams_finishes_them(
    stack: Stack, crowd: Callers, seed: int
) -> None:
    """Those that end within `SHUTDOWN_SECONDS` are whole, and none was taken that would not be."""
    stack.simulated.set(profile=PACED)
    try:
        running = [asyncio.create_task(crowd.stream({**LONG, "max_tokens": 300})) for _ in range(30)]

        async def begun() -> bool:
            found = await processes(stack)
            return found["gateway"].figures["requests"] >= 30

        await eventually(begun)
        await asyncio.to_thread(stack.restart_service, "gateway")
        outcomes = await asyncio.gather(*running)
    finally:
        stack.simulated.set(profile="instant")
    assert all(outcome.ok for outcome in outcomes), [each for each in outcomes if not each.ok][:3]
    assert (await crowd.post(GENERATE, {"prompt": "Hello", "max_tokens": 8})).ok


async def test_two_thousand_requests_at_once(stack: Stack, crowd: Callers, seed: int) -> None:
    """All are answered: what is too much is told so at once."""
    asked = {"prompt": "What is a lease?", "max_tokens": 16}
    outcomes = await asyncio.gather(*(crowd.post(GENERATE, asked) for _ in range(CROWD)))
    assert {outcome.status for outcome in outcomes} <= {200, 429}
    assert sum(outcome.ok for outcome in outcomes) >= CROWD / 4
    assert (await crowd.post(GENERATE, asked)).ok
