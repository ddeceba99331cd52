"""A circuit breaker on a clock of the test's, and a budget of retries."""

import pytest

from prodigon_lib.transport.breaker import Breaker
from prodigon_lib.transport.retry_budget import RESERVE, RetryBudget
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(clock: Clock) -> Breaker:
    breaker = Breaker(3, 10.0, clock)
    for _ in range(3):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row(opened: Breaker) -> None:
    assert opened.open
    assert not opened.admits()
    assert opened.seconds_left() == 10.0


def test_a_success_in_between_begins_anew(clock: Clock) -> None:
    breaker = Breaker(3, 10.0, clock)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.admits()


def test_late_calls_do_not_open_what_has_answered_since_they_began(clock: Clock) -> None:
    breaker = Breaker(3, 10.0, clock)
    began = breaker.answers
    breaker.succeeded()
    for _ in range(10):
        breaker.timed_out(began)
    assert breaker.admits()


def test_late_calls_open_what_has_not_answered_since(clock: Clock) -> None:
    breaker = Breaker(3, 10.0, clock)
    breaker.succeeded()
    for _ in range(3):
        breaker.timed_out(breaker.answers)
    assert not breaker.admits()


def test_a_probe_that_is_late_opens_it_again(opened: Breaker, clock: Clock) -> None:
    clock.now += 10.0
    assert opened.admits()
    opened.timed_out(opened.answers)
    assert not opened.admits()


def test_one_probe_after_the_rest(opened: Breaker, clock: Clock) -> None:
    clock.now += 10.0
    assert [opened.admits() for _ in range(3)] == [True, False, False]
    assert opened.open


def test_a_probe_that_hangs_lets_no_other_ahead(opened: Breaker, clock: Clock) -> None:
    clock.now += 10.0
    assert opened.admits()
    clock.now += 1000.0
    assert not opened.admits()


def test_a_probe_that_succeeds_closes_it(opened: Breaker, clock: Clock) -> None:
    clock.now += 10.0
    opened.admits()
    opened.succeeded()
    assert not opened.open
    assert [opened.admits() for _ in range(3)] == [True, True, True]


def test_a_probe_that_fails_is_another_rest(opened: Breaker, clock: Clock) -> None:
    clock.now += 10.0
    opened.admits()
    opened.failed()
    assert not opened.admits()
    clock.now += 10.0
    assert opened.admits()


def test_a_probe_whose_caller_left_is_followed_by_another(opened: Breaker, clock: Clock) -> None:
    clock.now += 10.0
    opened.admits()
    opened.abandoned()
    assert opened.admits()


@pytest.mark.parametrize("percent", [10, 20])
def test_retries_are_a_share_of_the_requests(percent: int) -> None:
    budget = RetryBudget(percent)
    retried = 0
    for _ in range(1000):
        budget.earn()
        retried += budget.take()
    assert retried == 1000 * percent // 100


def test_a_quiet_time_saves_up_no_storm() -> None:
    budget = RetryBudget(10)
    for _ in range(100_000):
        budget.earn()
    assert sum(budget.take() for _ in range(1000)) == RESERVE


def test_no_budget_no_retry() -> None:
    budget = RetryBudget(0)
    for _ in range(1000):
        budget.earn()
    assert not budget.take()
