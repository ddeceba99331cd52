"""Attacks on what costs: API4 and API6. The floods come last, as after them nobody may be let in."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from prodigon_lib.workshop.attacks.attack import Attack, attack
from prodigon_lib.workshop.attacks.objects import JOBS
from prodigon_lib.workshop.attacks.raider import Answer, Raider
from prodigon_lib.workshop.attacks.risks import Risk

FLOOD, AT_ONCE = 300, 25
LONG_ANSWERS, LARGE_JOBS = 12, 12
MEGABYTE = 1024 * 1024
QUESTION = {"prompt": "What does this cost?", "max_tokens": 1}
MODELS = "/v1/models"


async def many(count: int, ask: Callable[[int], Awaitable[Answer]]) -> Sequence[Answer]:
    """The answers to `count` requests, some at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Answer:
        async with room:
            return await ask(number)

    return await asyncio.gather(*(one(number) for number in range(count)))


@attack(Risk.CONSUMPTION, "a body without end")
async def large_body(raider: Raider) -> bool:
    """Nine megabytes are read, whatever is made of them."""
    body = b'{"prompt": "' + b"x" * (9 * MEGABYTE) + b'"}'
    return (await raider.ask("POST", "/api/v1/generate", body)).status not in (0, 401, 413)


@attack(Risk.CONSUMPTION, "more than a ceiling allows")
async def beyond_ceilings(raider: Raider) -> bool:
    """A million tokens, or a thousand prompts, are accepted."""
    long = await raider.ask("POST", "/api/v1/generate", QUESTION | {"max_tokens": 1_000_000})
    wide = await raider.ask("POST", JOBS, {"prompts": ["x"] * 1000})
    return long.ok or wide.ok


@attack(Risk.CONSUMPTION, "a deep body")
async def deep_body(raider: Raider) -> bool:
    """A body of fifty thousand brackets ends in a 5xx."""
    body = b'{"prompt": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    return (await raider.ask("POST", "/api/v1/generate", body)).status >= 500


@attack(Risk.CONSUMPTION, "a head without end")
async def large_head(raider: Raider) -> bool:
    """A header of 128 kB is read and answered."""
    return (await raider.ask("GET", MODELS, headers={"X-Long": "x" * 128 * 1024})).ok


@attack(Risk.CONSUMPTION, "long answers, one after the other")
async def long_answers(raider: Raider) -> bool:
    """A dozen long questions, each for an answer of 8,192 tokens, are all answered: nobody counts tokens."""
    body = {"prompt": "Tell me everything. " * 450, "max_tokens": 8192, "temperature": 1.0}
    answers = await many(LONG_ANSWERS, lambda _: raider.ask("POST", "/api/v1/generate", body))
    return all(answer.ok for answer in answers)


@attack(Risk.FLOWS, "fill the queue")
async def fill_the_queue(raider: Raider) -> bool:
    """One caller puts twelve hundred prompts before everybody else's."""
    body = {"prompts": ["Me first!"] * 100, "max_tokens": 1024}
    answers = await many(LARGE_JOBS, lambda _: raider.ask("POST", JOBS, body))
    for answer in answers:
        if answer.ok:
            await raider.ask("POST", f"{JOBS}/{answer.json()['job_id']}/cancel")
    return all(answer.ok for answer in answers)


@attack(Risk.CONSUMPTION, "a flood from many forged addresses")
async def forged_flood(raider: Raider) -> bool:
    """Each of 300 requests claims an address of its own, and no more than a tenth is turned away."""

    def forged() -> dict[str, str]:
        address = ".".join(str(random.randint(1, 250)) for _ in range(4))
        return {"X-Forwarded-For": address, "X-Real-IP": address}

    statuses = await raider.storm(MODELS, FLOOD, at_once=AT_ONCE, headers=forged)
    return statuses.count(429) <= FLOOD / 10


@attack(Risk.CONSUMPTION, "a flood")
async def flood(raider: Raider) -> bool:
    """None of 300 requests in a row is turned away."""
    return 429 not in await raider.storm(MODELS, FLOOD, at_once=AT_ONCE)


ATTACKS: tuple[Attack, ...] = (
    large_body, beyond_ceilings, deep_body, large_head, long_answers, fill_the_queue, forged_flood, flood,
)  # fmt: skip
