"""A line when a store goes away, and one when it is back."""

import pytest

from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.worker.queues import outage as outages
from prodigon_lib.worker.queues.outage import Outage

AWAY = UpstreamUnavailable("it is away")


class Lines(list[str]):
    def warning(self, event: str, **_: object) -> None:
        self.append(event.rpartition(" is ")[2])

    info = warning


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    lines = Lines()
    monkeypatch.setattr(outages, "logger", lines)
    return lines


def test_many_failed_calls_are_one_outage(lines: Lines) -> None:
    outage = Outage("database")
    for _ in range(5):
        outage.found(AWAY)
    for _ in range(5):
        outage.over(outage.began())
    assert lines == ["away", "back"]


def test_a_call_that_began_before_the_last_fault_ends_no_outage(lines: Lines) -> None:
    outage = Outage("database")
    early = outage.began()
    outage.found(AWAY)
    outage.over(early)
    outage.found(AWAY)
    outage.over(outage.began())
    assert lines == ["away", "back"]
