"""When a day ends, and how long a prompt may be."""

from datetime import UTC, datetime, timedelta

import pytest

from prodigon_lib.security.quotas import estimate, until_tomorrow


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 30, tzinfo=UTC), 86400),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), 43200),
    ],
)
def test_the_day_ends_at_midnight_of_utc(now: datetime, seconds: int) -> None:
    assert until_tomorrow(now) == seconds
    assert (now + timedelta(seconds=seconds)).time().isoformat() == "00:00:00"


def test_an_estimate_is_rounded_up() -> None:
    assert [estimate(size) for size in (0, 1, 3, 4)] == [0, 1, 1, 2]
