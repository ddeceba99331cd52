"""The pause of a worker whose model refuses everybody, on a clock of the test's."""

import random

import pytest

from prodigon_lib.core.errors import (
    ProdigonError,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from prodigon_lib.worker.backoff import Backoff
from prodigon_lib.worker.pause import Pause
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pause(clock: Clock) -> Pause:
    return Pause(Backoff(1.0, 5.0, random.Random(1)), clock)


AWAY = UpstreamUnavailable("away")


def test_nothing_is_held_back_while_the_model_answers(pause: Pause) -> None:
    assert pause.room(8, [99.0]) == 8
    assert not pause.on


@pytest.mark.parametrize("error", [UpstreamError("x"), UpstreamTimeout("x"), ProdigonError("x")])
def test_one_prompts_own_fault_opens_no_pause(pause: Pause, error: ProdigonError) -> None:
    assert not pause.refused(error)
    assert pause.room(8, []) == 8


def test_refused_by_everybody_then_one_goes_ahead(pause: Pause, clock: Clock) -> None:
    assert pause.refused(AWAY)
    assert pause.room(8, []) == 0
    assert 0.5 <= pause.seconds_left() <= 1.0
    clock.now += 1.0
    assert pause.room(8, [99.0]) == 1  # what was begun before the pause does not hold the probe back
    assert pause.room(7, [99.0, clock.now]) == 0  # one probe is enough


def test_one_outage_counts_once_however_many_it_refuses(pause: Pause) -> None:
    assert [pause.refused(AWAY) for _ in range(5)] == [True, False, False, False, False]
    assert pause.seconds_left() <= 1.0


def test_a_pause_grows_while_probes_are_refused_up_to_a_limit(pause: Pause, clock: Clock) -> None:
    lengths = []
    for _ in range(6):
        assert pause.refused(AWAY)
        lengths.append(pause.seconds_left())
        clock.now += pause.seconds_left()
    assert lengths[1] > lengths[0] / 2
    assert 2.5 <= lengths[-1] <= 5.0


def test_retry_after_is_kept(pause: Pause, clock: Clock) -> None:
    pause.refused(RateLimited("slow down", retry_after=20))
    assert 20 <= pause.seconds_left() <= 21


def test_only_a_success_from_after_the_pause_ends_it(pause: Pause, clock: Clock) -> None:
    pause.refused(AWAY)
    begun_before = clock.now - 1
    assert not pause.succeeded(begun_before)
    assert pause.on
    clock.now += 1.0
    assert pause.succeeded(clock.now)
    assert not pause.on
    assert pause.room(8, []) == 8
    assert not pause.succeeded(clock.now)
