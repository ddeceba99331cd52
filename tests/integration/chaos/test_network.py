"""Black holes, half-open and broken connections on each edge, under load on all of them."""

import asyncio
import random

import pytest

from prodigon_lib import Stack
from tests.integration.chaos.clients import GENERATE, Callers, Outcome
from tests.integration.chaos.jobs import Answers, all_accepted, all_finished, check_answers, until_answered
from tests.polling import eventually

EDGES = ["gateway->model", "gateway->worker", "gateway->postgres", "worker->model", "worker->postgres"]
SELDOM = pytest.mark.soak
HOLE_SECONDS = 4.0
"""Longer than a lease."""

FOREIGN = (502, 503, 504, 429)


async def everyday(crowd: Callers) -> list[Outcome]:
    """One call of each kind."""
    return list(
        await asyncio.gather(
            crowd.post(GENERATE, {"prompt": "Hello", "max_tokens": 8}),
            crowd.stream({"prompt": "Hello", "max_tokens": 8}),
            crowd.post("/api/v1/chat/sessions", {}),
            crowd.call("GET", "/api/v1/jobs?limit=1"),
            crowd.call("GET", "/api/v1/chat/sessions?limit=1"),
        )
    )


def check_outcomes(outcomes: list[Outcome]) -> None:
    """Answered, or refused by the contract: the gateway itself was never away."""
    for outcome in outcomes:
        assert outcome.ok or outcome.status in FOREIGN or outcome.code, outcome
        assert not outcome.broke, outcome


async def load_for(crowd: Callers, seconds: float) -> list[Outcome]:
    found: list[Outcome] = []
    end = asyncio.get_running_loop().time() + seconds

    async def lane() -> None:
        while asyncio.get_running_loop().time() < end:
            found.extend(await everyday(crowd))

    await asyncio.gather(*(lane() for _ in range(4)))
    return found


@pytest.mark.parametrize("edge", EDGES)
async def test_a_black_hole(stack: Stack, crowd: Callers, answers: Answers, edge: str, seed: int) -> None:
    jobs = await all_accepted(crowd, f"hole {seed} {edge}", 3)
    with stack.faults[edge].set(black_hole=True):
        outcomes = await load_for(crowd, HOLE_SECONDS)
    check_outcomes(outcomes)
    assert any(outcome.ok for outcome in outcomes)
    check_answers(await all_finished(crowd, jobs), answers)
    await eventually(lambda: works(crowd))


async def works(crowd: Callers) -> bool:
    return all(outcome.ok for outcome in await everyday(crowd))


@pytest.mark.parametrize(
    "edge",
    [
        "gateway->model",
        "worker->postgres",
        *(
            pytest.param(edge, marks=SELDOM)
            for edge in ("gateway->worker", "gateway->postgres", "worker->model")
        ),
    ],
)
async def test_connections_cut_again_and_again(
    stack: Stack, crowd: Callers, answers: Answers, edge: str, seed: int
) -> None:
    chance = random.Random(f"{seed} {edge}")
    stack.faults["worker->model"].set(latency=0.03)
    jobs = await all_accepted(crowd, f"cut {seed} {edge}", 5)
    load = asyncio.create_task(load_for(crowd, 2.0))
    while not load.done():
        stack.faults[edge].cut()
        await asyncio.sleep(chance.uniform(0.05, 0.4))
    check_outcomes(await load)
    check_answers(await all_finished(crowd, jobs), answers)
    await eventually(lambda: works(crowd))


@pytest.mark.parametrize("edge", ["gateway->model", pytest.param("worker->model", marks=SELDOM)])
async def test_requests_dropped_now_and_then(
    stack: Stack, crowd: Callers, answers: Answers, edge: str, seed: int
) -> None:
    stack.faults[edge].set(drop=0.1, latency=0.01, jitter=0.05, seed=seed)
    jobs = await all_accepted(crowd, f"drop {seed} {edge}", 3)
    outcomes = await load_for(crowd, 2.0)
    check_outcomes(outcomes)
    assert sum(outcome.ok for outcome in outcomes) > len(outcomes) / 2
    check_answers(await all_finished(crowd, jobs), answers)


async def test_a_worker_dies_behind_a_black_hole(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    """Postgres does not hear that it has gone: what it had claimed waits for its lease, and no longer."""
    stack.faults["worker->model"].set(latency=0.2)
    jobs = await all_accepted(crowd, f"half open {seed}")
    stack.faults["worker-2->postgres"].set(black_hole=True)
    stack.kill("worker-2")
    check_answers(await all_finished(crowd, jobs), answers)


@SELDOM
async def test_a_narrow_way_is_slow_and_right(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    stack.faults["worker->postgres"].set(bandwidth=100_000, latency=0.02, jitter=0.02, seed=seed)
    jobs = await all_accepted(crowd, f"narrow {seed}", 3)
    check_answers(await all_finished(crowd, jobs), answers)


async def test_one_key_many_times_is_one_job(stack: Stack, crowd: Callers, seed: int) -> None:
    """While half of the requests to the worker break, thirty callers repeat themselves until they hear."""
    stack.faults["gateway->worker"].set(drop=0.5, seed=seed)
    body, key = {"prompts": ["Question 1"], "max_tokens": 8}, {"Idempotency-Key": f"one {seed}"}
    found = await asyncio.gather(
        *(until_answered(crowd, "POST", "/api/v1/jobs", body, key) for _ in range(30))
    )
    assert len({answer.json()["job_id"] for answer in found}) == 1
