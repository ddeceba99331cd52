"""The model slow, failing, refusing, cutting, and answering what is no answer."""

import asyncio

import pytest

from prodigon_lib import Stack
from tests.integration.chaos.aftermath import figures_of, metric
from tests.integration.chaos.clients import GENERATE, Callers, Outcome
from tests.integration.chaos.jobs import Answers, all_accepted, all_finished, check_answers
from tests.polling import eventually

CALLS = 150
HELLO = {"prompt": "What is a lease?", "max_tokens": 40}

TROUBLES = {
    "slow": {"stall_rate": 0.3, "stall_seconds": 1.0, "stall_after": 3},
    "silent before the first token": {"stall_rate": 0.2, "stall_seconds": 60.0, "stall_after": 0},
    "failing": {"error_rate": 0.5, "error_status": 500},
    "away": {"error_rate": 0.3, "error_status": 503},
    "refusing": {"error_rate": 0.3, "error_status": 429, "retry_after": 1},
    "cutting streams": {"cut_rate": 0.5, "cut_after": 5},
    "always failing": {"error_rate": 1.0, "error_status": 500},
}


async def ask_many(crowd: Callers) -> list[Outcome]:
    kinds = [crowd.post(GENERATE, HELLO) if n % 2 else crowd.stream(HELLO) for n in range(CALLS)]
    return list(await asyncio.gather(*kinds))


SELDOM = {"slow", "away", "always failing"}


@pytest.mark.parametrize(
    "trouble",
    [pytest.param(each, marks=[pytest.mark.soak] if each in SELDOM else []) for each in TROUBLES],
)
async def test_a_troubled_model(
    stack: Stack, crowd: Callers, answers: Answers, trouble: str, seed: int
) -> None:
    """Callers hear of it by the contract; jobs wait it out."""
    stack.simulated.set(faults=TROUBLES[trouble], seed=0)
    jobs = await all_accepted(crowd, f"{trouble} {seed}", 2)
    outcomes = await ask_many(crowd)
    for outcome in outcomes:
        assert not outcome.broke
        assert outcome.status in (200, 429, 502, 503, 504)
    faults = [outcome for outcome in outcomes if not outcome.ok]
    assert (len(faults) == CALLS) == (trouble == "always failing")
    assert faults or trouble == "slow"
    stack.simulated.set(faults={})
    check_answers(await all_finished(crowd, jobs), answers)


async def test_a_rate_limit(stack: Stack, crowd: Callers, answers: Answers, seed: int) -> None:
    """Far fewer requests a minute than there are prompts, until the limit is lifted."""
    stack.simulated.set(limits={"requests_per_minute": 60})
    jobs = await all_accepted(crowd, f"limited {seed}", 2)
    outcomes = await ask_many(crowd)
    assert {outcome.status for outcome in outcomes} <= {200, 429}
    assert any(outcome.status == 429 for outcome in outcomes)
    stack.simulated.set(limits={})
    check_answers(await all_finished(crowd, jobs), answers)


async def test_prompts_that_fail_for_good_are_told_and_left(stack: Stack, crowd: Callers, seed: int) -> None:
    """No retry helps: each prompt fails once, the job ends, and nothing is asked again."""
    stack.simulated.set(faults={"error_rate": 1.0, "error_status": 400})
    jobs = await all_accepted(crowd, f"for good {seed}", 2)
    for view in await all_finished(crowd, jobs):
        assert view["status"] == "failed"
        assert len(view["errors"]) == view["total_prompts"]


async def test_an_outage_makes_no_retry_storm(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    """A thousand prompts wait while each call fails: the model is asked a few times, not thousands."""
    port = stack.status().part("model").port
    assert port is not None
    stack.simulated.set(faults={"error_rate": 1.0, "error_status": 503})
    jobs = await all_accepted(crowd, f"storm {seed}")
    asked = await calls_made(stack)
    await asyncio.sleep(3.0)
    assert await calls_made(stack) - asked < 300
    stack.simulated.set(faults={})
    check_answers(await all_finished(crowd, jobs), answers)
    await eventually(lambda: calls_end(port))


async def calls_made(stack: Stack) -> float:
    from prodigon_lib.stack.probe import get

    port = stack.status().part("model").port
    assert port is not None
    _, body = await get(port, "/metrics")
    return metric(body.decode(), "prodigon_model_calls_total")


async def calls_end(port: int) -> bool:
    return (await figures_of(port))["calls"] == 0
