"""Who holds a stack keeps it; with the last of them everything goes, however they end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from prodigon_lib import Stack
from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.lease import LAB
from prodigon_lib.stack.process import start_time
from prodigon_lib.stack.supervisor import GRACE, TICK
from tests.integration.stack.processes import ENDED_WITHIN, footprint, holders
from tests.polling import eventually_sync

NAME = "lifetime"


def test_two_who_start_at_once_share_one_until_both_are_killed() -> None:
    with holders(NAME, NAME) as (one, other):
        assert one.pids == other.pids
        stack = one.footprint
        one.process.kill()
        one.process.wait()
        assert Stack.start(NAME, profile="instant").status().pids == other.pids
        Stack.start(NAME, profile="instant").stop()  # ours: the other's goes on
        assert set(stack.left()) == set(stack.processes)
        other.process.kill()
        other.process.wait()
        eventually_sync(stack.is_gone, within=ENDED_WITHIN)


def test_a_killed_supervisor_takes_everything_with_it() -> None:
    with holders(NAME) as (held,):
        os.kill(held.pids["guard"], signal.SIGKILL)  # even when its first guard was killed before
        stack = Stack.start(NAME, profile="instant")
        revived = eventually_sync(
            lambda: (pids := stack.status().pids)["guard"] != held.pids["guard"] and pids
        )
        os.kill(held.pids["worker"], signal.SIGSTOP)  # a paused child hears no SIGTERM
        everything = footprint(revived, held.urls)
        os.kill(revived["supervisor"], signal.SIGKILL)
        eventually_sync(everything.is_gone, within=ENDED_WITHIN)
        with pytest.raises(StackError, match="does not run"):
            stack.status()
        again = Stack.start(
            NAME, profile="instant"
        )  # finds the data of a server that was not stopped in order
        assert again.status().healthy
        again.stop()


def test_a_forked_child_does_not_keep_a_stack() -> None:
    with holders(NAME, fork=True) as (held,):
        stack = held.footprint
        held.process.kill()
        held.process.wait()
        eventually_sync(stack.is_gone, within=ENDED_WITHIN)
        assert start_time(held.child) is not None


def test_a_lab_keeps_the_stack_for_a_kernel_that_comes_back() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as lab:
        mark = {LAB: f"{lab.pid}:120:{start_time(lab.pid)}"}
        with holders(NAME, env=mark) as (first,):
            stack = first.footprint
            first.process.kill()
            first.process.wait()
            end = time.monotonic() + 2 * GRACE + 2 * TICK
            eventually_sync(lambda: time.monotonic() > end or stack.left() != list(stack.processes))
            assert stack.left() == list(stack.processes)
        looked = Stack.start(NAME, profile="instant")
        status = looked.status()
        assert status.pids == first.pids
        assert status.held_by == (os.getpid(),)
        with holders(NAME, env=mark) as (second,):
            assert second.pids == first.pids
            looked.stop()
        lab.kill()
        lab.wait()
        eventually_sync(stack.is_gone, within=ENDED_WITHIN)


def test_other_options_are_refused_while_another_holds_it_then_replace_it() -> None:
    with holders(NAME) as (held,):
        with pytest.raises(StackError) as refused:
            Stack.start(NAME, profile="instant", restart="never")
        assert "restart is always, not never" in refused.value.message
        assert str(held.process.pid) in refused.value.message
        held.process.kill()
        held.process.wait()
        with Stack.start(NAME, profile="instant", restart="never") as stack:
            first = stack.status()
            assert first.supervisor != held.pids["supervisor"]
            stack.kill("model")
            stopped = eventually_sync(
                lambda: (part := stack.status().part("model")).health == "stopped" and part
            )
            assert (stopped.pid, stopped.restarts) == (None, 0)
            stack.restart_service("model")
            assert stack.status().healthy
            replaced = Stack.start(NAME, profile="instant")  # only this process holds it
            assert replaced.status().supervisor != first.supervisor
