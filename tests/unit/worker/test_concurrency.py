"""How many prompts at once: what a worker learns from a model that refuses."""

import pytest

from prodigon_lib.core.errors import ProdigonError, RateLimited, UpstreamUnavailable
from prodigon_lib.worker.concurrency import ROUNDS, Concurrency
from prodigon_lib.workshop.limited_worker import run_limited

LIMITED = RateLimited("slow down")


def test_it_is_the_setting_until_somebody_refuses() -> None:
    concurrency = Concurrency(16)
    for _ in range(100):
        concurrency.succeeded()
    assert concurrency.allowed == 16


def test_a_refusal_halves_it_and_one_is_always_left() -> None:
    concurrency = Concurrency(16)
    seen = []
    for _ in range(6):
        concurrency.refused(LIMITED)
        seen.append(concurrency.allowed)
    assert seen == [8, 4, 2, 1, 1, 1]


@pytest.mark.parametrize("error", [UpstreamUnavailable("away"), ProdigonError("x")])
def test_only_a_limit_says_something_of_how_many(error: ProdigonError) -> None:
    concurrency = Concurrency(16)
    concurrency.refused(error)
    assert concurrency.allowed == 16


def test_it_grows_by_one_in_some_rounds_and_up_to_the_setting() -> None:
    concurrency = Concurrency(8)
    concurrency.refused(LIMITED)
    for _ in range(5 * ROUNDS):
        concurrency.succeeded()
    assert concurrency.allowed == 5
    for _ in range(100 * ROUNDS):
        concurrency.succeeded()
    assert concurrency.allowed == 8


def test_a_limit_far_below_the_setting_fails_no_prompt() -> None:
    run = run_limited(300, places=32, per_minute=120)
    assert run.failed == 0
    assert run.refused < run.prompts / 2
    assert run.seconds < 1.2 * run.best


def test_without_it_refusals_use_up_the_prompts_attempts() -> None:
    run = run_limited(300, places=32, per_minute=120, adapts=False)
    assert run.failed > 0
    assert run.refused > run.prompts
