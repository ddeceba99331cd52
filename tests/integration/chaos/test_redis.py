"""Redis behind the queue: cut off, silent, and away for a while, under load."""

import asyncio
import random

import pytest

from prodigon_lib import Stack
from tests.integration.chaos.clients import Callers
from tests.integration.chaos.jobs import Answers, all_accepted, all_finished, check_answers
from tests.integration.chaos.test_network import HOLE_SECONDS, check_outcomes, load_for, works
from tests.polling import eventually

PAUSE_SECONDS = 4.0
"""Longer than a lease."""


@pytest.fixture(scope="package")
def stack(redis_stack: Stack) -> Stack:
    return redis_stack


async def test_a_black_hole(stack: Stack, crowd: Callers, answers: Answers, seed: int) -> None:
    jobs = await all_accepted(crowd, f"hole {seed}", 3)
    with stack.faults["worker->redis"].set(black_hole=True):
        outcomes = await load_for(crowd, HOLE_SECONDS)
    check_outcomes(outcomes)
    assert any(outcome.ok for outcome in outcomes)
    check_answers(await all_finished(crowd, jobs), answers)
    await eventually(lambda: works(crowd))


async def test_connections_cut_again_and_again(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    chance = random.Random(f"{seed} redis")
    stack.faults["worker->model"].set(latency=0.03)
    jobs = await all_accepted(crowd, f"cut {seed}", 5)
    load = asyncio.create_task(load_for(crowd, 2.0))
    while not load.done():
        stack.faults["worker->redis"].cut()
        await asyncio.sleep(chance.uniform(0.05, 0.4))
    check_outcomes(await load)
    check_answers(await all_finished(crowd, jobs), answers)
    await eventually(lambda: works(crowd))


async def test_it_hangs_for_longer_than_a_lease(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    """What was sent to it meanwhile it reads when it wakes, from connections that were given up long ago."""
    stack.faults["worker->model"].set(latency=0.1)
    jobs = await all_accepted(crowd, f"hangs {seed}", 5)
    stack.pause("redis")
    try:
        outcomes = await load_for(crowd, PAUSE_SECONDS)
    finally:
        stack.resume("redis")
    check_outcomes(outcomes)
    check_answers(await all_finished(crowd, jobs), answers)
    await eventually(lambda: works(crowd))


@pytest.mark.soak
async def test_it_is_restarted_in_order(stack: Stack, crowd: Callers, answers: Answers, seed: int) -> None:
    stack.faults["worker->model"].set(latency=0.05)
    work = asyncio.create_task(all_accepted(crowd, f"restarted {seed}"))
    load = asyncio.create_task(load_for(crowd, 3.0))
    await asyncio.to_thread(stack.restart_service, "redis")
    check_outcomes(await load)
    check_answers(await all_finished(crowd, await work), answers)


@pytest.mark.soak
async def test_a_worker_dies_behind_a_black_hole(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    """Redis does not hear that it has gone: what it had claimed waits for its lease, and no longer."""
    stack.faults["worker->model"].set(latency=0.2)
    jobs = await all_accepted(crowd, f"half open {seed}")
    stack.faults["worker-2->redis"].set(black_hole=True)
    stack.kill("worker-2")
    check_answers(await all_finished(crowd, jobs), answers)
