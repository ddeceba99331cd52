"""What is left of a caller's time."""

import time
from collections.abc import Iterator

import pytest

from prodigon_lib.core.deadline import allowed, as_header, current_deadline, deadline_from, remaining


@pytest.fixture
def ten_seconds() -> Iterator[None]:
    token = current_deadline.set(time.monotonic() + 10)
    yield
    current_deadline.reset(token)


def test_without_a_deadline_all_is_allowed() -> None:
    assert allowed(60.0) == 60.0
    assert remaining() is None


def test_a_deadline_bounds_what_is_longer(ten_seconds: None) -> None:
    assert allowed(1.0) == 1.0
    assert allowed(60.0) == pytest.approx(10.0, abs=1.0)


def test_nothing_is_left_after_it() -> None:
    token = current_deadline.set(time.monotonic() - 1)
    assert (allowed(60.0), remaining()) == (0.0, 0.0)
    current_deadline.reset(token)


def test_a_header_there_and_back() -> None:
    moment = deadline_from(as_header(2.5))
    assert moment is not None
    assert moment - time.monotonic() == pytest.approx(2.5, abs=0.5)


@pytest.mark.parametrize("header", ["", "-1", "1.5", "soon", "٣", "9" * 11])
def test_a_header_that_means_nothing_is_ignored(header: str) -> None:
    assert deadline_from(header) is None
