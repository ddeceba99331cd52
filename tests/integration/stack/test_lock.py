"""The lock between processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.lock import FileLock

HOLDER = """
import sys
from pathlib import Path
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.lock import FileLock
with FileLock(Path(sys.argv[1]), timeout=5, busy="busy"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_waits_and_gets_it_when_the_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StackError, match="busy"), FileLock(path, timeout=0.1, busy="busy"):
            pass
        holder.kill()
        with FileLock(path, timeout=5, busy="busy"):
            assert path.exists()


def test_a_guard_holds_it_until_it_has_ended_the_children(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock(path, timeout=1, busy="busy").acquire()
    guardian = Guardian(lock, tmp_path / "log")
    lock.release()
    with pytest.raises(StackError, match="busy"), FileLock(path, timeout=0.1, busy="busy"):
        pass
    guardian.close()
    with FileLock(path, timeout=5, busy="busy"):
        assert path.exists()


def test_a_process_that_inherits_it_holds_it_too(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock(path, timeout=1, busy="busy").acquire()
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[lock.fileno()]) as heir:
        lock.release()
        with pytest.raises(StackError, match="busy"), FileLock(path, timeout=0.1, busy="busy"):
            pass
        heir.stdin.close()
    with FileLock(path, timeout=5, busy="busy"):
        assert os.path.exists(path)
