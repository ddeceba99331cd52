"""Any service ended at a random moment of a thousand prompts on three workers, on both queues."""

import asyncio
import random
import signal

import pytest

from prodigon_lib import Stack
from tests.integration.chaos.clients import Callers
from tests.integration.chaos.jobs import Answers, all_accepted, all_finished, check_answers
from tests.polling import eventually

QUEUES = ["postgres_stack", "redis_stack"]
HOW = {"killed": signal.SIGKILL, "terminated": signal.SIGTERM}


@pytest.fixture(scope="package", params=QUEUES)
def stack(request: pytest.FixtureRequest) -> Stack:
    found: Stack = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(
    ("stack", "service", "how"),
    [
        pytest.param(
            stack,
            service,
            HOW[how],
            id=f"{stack}-{service}-{how}",
            # The others know nothing of what keeps the queue.
            marks=pytest.mark.soak if stack == "redis_stack" and service != "worker" else (),
        )
        for stack in QUEUES
        for service in ("gateway", "model", "worker")
        for how in HOW
    ],
    indirect=["stack"],
)
async def test_a_service_ends_among_a_thousand_prompts(
    stack: Stack, crowd: Callers, answers: Answers, service: str, how: signal.Signals, seed: int
) -> None:
    chance = random.Random(f"{seed} {service} {how}")
    victim = chance.choice(["worker", "worker-2", "worker-3"]) if service == "worker" else service
    stack.faults["worker→model"].set(latency=0.05)
    work = asyncio.create_task(all_accepted(crowd, f"kill {seed} {service} {how}"))
    await asyncio.sleep(chance.uniform(0.0, 2.0))
    (stack.kill if how is signal.SIGKILL else stack.terminate)(victim)
    jobs = await work
    check_answers(await all_finished(crowd, jobs), answers)


async def test_what_keeps_the_queue_is_killed_twice_and_a_worker_with_it(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    """Its supervisor revives it. What it had acknowledged is there; what it had not, nobody counts on."""
    chance = random.Random(f"{seed} store")
    store = "redis" if stack.redis_url else "postgres"
    stack.faults["worker→model"].set(latency=0.05)
    work = asyncio.create_task(all_accepted(crowd, f"store {seed}"))
    for _ in range(2):
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        await eventually(lambda: runs(stack, store), within=20)
        stack.kill(store)
    stack.kill("worker-3")
    check_answers(await all_finished(crowd, await work), answers)


async def runs(stack: Stack, name: str) -> bool:
    parts = await asyncio.to_thread(stack.status)
    return any(part.name == name and part.pid is not None for part in parts)


async def test_everything_but_the_database_is_killed_at_once(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    jobs = await all_accepted(crowd, f"all {seed}")
    for victim in ("gateway", "model", "worker", "worker-2", "worker-3", "proxy"):
        stack.kill(victim)
    check_answers(await all_finished(crowd, jobs), answers)


async def test_a_paused_workers_late_results_are_refused(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    """Stopped past its lease and woken: the others did its prompts, and its own results come too late."""
    stack.faults["worker→model"].set(latency=0.3)
    work = asyncio.create_task(all_accepted(crowd, f"pause {seed}"))
    jobs = await work
    stack.pause("worker-2")
    try:
        stack.faults["worker→model"].clear()
        views = await all_finished(crowd, jobs)
    finally:
        stack.resume("worker-2")
    check_answers(views, answers)
    check_answers(await all_finished(crowd, jobs), answers)
    await eventually(
        lambda: any(
            record["event"] == "outcomes were dropped: their leases were gone"
            for record in stack.logs("worker-2")
        )
    )
