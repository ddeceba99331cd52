"""Who holds a stack, and when nobody does any more."""

import os

import pytest

from prodigon_lib.stack import holders
from prodigon_lib.stack.holders import Holder, Holders, Lab, myself


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(holders, "time", fake)
    return fake


def test_a_stack_ends_after_its_last_lease_and_the_grace(clock: Clock) -> None:
    held = Holders(grace=1.0)
    held.add("one", Holder(1, ""), None)
    held.add("two", Holder(2, ""), None)
    held.remove("one")
    clock.now += 50
    assert not held.all_gone()
    held.remove("two")
    assert not held.all_gone()
    clock.now += 1.1
    assert held.all_gone()


def test_a_lab_that_lives_keeps_it_for_its_time(clock: Clock) -> None:
    held = Holders(grace=1.0)
    me = Holder.from_wire(myself(os.getpid()))
    held.add("kernel", Holder(1, ""), Lab(me, 300))
    held.remove("kernel")
    clock.now += 299
    assert not held.all_gone()
    clock.now += 2
    assert held.all_gone()


def test_a_lab_that_died_keeps_nothing(clock: Clock) -> None:
    held = Holders(grace=1.0)
    held.add("kernel", Holder(1, ""), Lab(Holder(os.getpid(), "another start"), 300))
    held.remove("kernel")
    clock.now += 1.1
    assert held.all_gone()


def test_a_lease_of_a_dead_process_is_dropped() -> None:
    held = Holders(grace=1.0)
    held.add("dead", Holder(os.getpid(), "another start"), None)
    held.add("alive", Holder.from_wire(myself(os.getpid())), None)
    held.drop_the_dead()
    assert list(held.leases) == ["alive"]


def test_a_process_of_another_container_is_judged_by_its_connection_alone() -> None:
    holder = Holder.from_wire({"pid": 2**22 - 1, "started": "12345"})
    assert not holder.is_gone()


def test_others_are_other_processes() -> None:
    held = Holders(grace=1.0)
    for connection, pid in (("a", 5), ("b", 5), ("c", 7)):
        held.add(connection, Holder(pid, ""), None)
    assert held.others(5) == [7]
    assert held.others(1) == [5, 7]


def test_a_lease_that_was_never_given_changes_nothing(clock: Clock) -> None:
    held = Holders(grace=5.0)
    clock.now += 4.9
    held.remove("who?")
    clock.now += 0.2
    assert held.all_gone()
