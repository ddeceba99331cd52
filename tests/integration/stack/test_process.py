"""A process is known by its pid and the moment it started."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from prodigon_lib.stack.guard import Charge, end, parse
from prodigon_lib.stack.process import from_psutil, is_running, start_time
from tests.polling import eventually_sync

STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("on", flush=True)
signal.pause()
"""


@pytest.fixture
def stubborn():
    """A process that does not hear SIGTERM."""
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def charge(process: subprocess.Popen, started: str | None = None) -> Charge:
    return Charge(process.pid, started or start_time(process.pid), signal.SIGTERM)


def test_this_process_runs() -> None:
    assert is_running(os.getpid(), start_time(os.getpid()))


@pytest.mark.parametrize("tell", [start_time, from_psutil])
def test_a_process_has_started_until_it_is_reaped_or_waits_for_that(
    tell: Callable[[int], str | None],
) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    assert tell(process.pid) == tell(process.pid) is not None
    process.stdin.close()
    eventually_sync(lambda: tell(process.pid) is None)
    process.wait()
    assert tell(process.pid) is None


def test_what_does_not_stop_is_killed(stubborn: subprocess.Popen) -> None:
    end([charge(stubborn)], patience=0.2)
    assert stubborn.wait(5) == -signal.SIGKILL


def test_a_paused_process_is_ended(stubborn: subprocess.Popen) -> None:
    os.kill(stubborn.pid, signal.SIGSTOP)
    end([charge(stubborn)], patience=0.2)
    assert stubborn.wait(5) == -signal.SIGKILL


def test_a_pid_that_was_given_to_another_is_left_alone() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        end([charge(other, "another start")], patience=0.2)
        answered, _ = other.communicate(b"still here")
    assert (answered, other.returncode) == (b"still here", 0)


def test_the_guard_forgets_what_ended() -> None:
    charges: dict[int, Charge] = {}
    parse("+ 10 Tue Nov 24 10:00:00 2026 SIGINT\n", charges)
    parse("+ 11 4711 SIGTERM\n", charges)
    assert charges[10] == Charge(10, "Tue Nov 24 10:00:00 2026", signal.SIGINT)
    parse("- 10\n", charges)
    assert list(charges) == [11]
