"""The figures to reach, met and missed."""

import pytest

from tests.benchmarks.goals import Goal, goals_table
from tests.unit.benchmarks.runs import gateway_runs, queue_runs, stack_runs


@pytest.mark.parametrize(
    ("reached", "most", "met"),
    [(5.0, False, True), (4.9, False, False), (5.0, True, True), (5.1, True, False), (None, True, None)],
)
def test_a_goal_is_met_at_its_bound(reached: float | None, most: bool, met: bool | None) -> None:
    assert Goal("figure", reached, 5, most=most).met is met


def verdicts(**parts: list[dict[str, object]]) -> dict[str, str]:
    return {row[0]: row[-1] for row in goals_table(parts).rows}


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    met = verdicts(gateway=gateway_runs(ours=80, bare=100))
    assert met["gateway, JSON, 16 in flight, of asgi-aiohttp"] == "yes"
    assert met["gateway, JSON, 16 in flight, times LiteLLM"] == "-"
    assert not [what for what in met if what.startswith(("queue", "cold"))]


def test_a_slower_gateway_misses() -> None:
    met = verdicts(gateway=gateway_runs(ours=74, bare=100))
    assert {met[what] for what in met if "asgi-aiohttp" in what} == {"no"}


def test_a_queue_is_compared_with_the_ceiling_and_the_peer() -> None:
    met = verdicts(queue=queue_runs(ours=499, peer=400))
    assert met["queue, drain with 1 worker, of asyncpg"] == "no"
    assert met["queue, drain with 4 workers, of pgqueuer"] == "yes"
    assert met["queue, bulk enqueue, of pgqueuer"] == "yes"
    assert met["queue, idle pick-up p50, ms"] == "yes"


def test_a_stack_that_grows_or_starts_late_misses() -> None:
    met = verdicts(stack=stack_runs(first_token=3.1, before=100, after=103))
    assert met["cold start to a first token, s"] == "no"
    assert met["worker, growth through streams"] == "no"
    assert met["attach, s"] == met["model, idle, resident MB"] == "yes"
