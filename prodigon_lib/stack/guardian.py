"""The supervisor's hold on its guard process: tells it of each child, and starts another when it dies."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from prodigon_lib.stack.environment import base_environment
from prodigon_lib.stack.lock import FileLock
from prodigon_lib.stack.process import start_time


class Guardian:
    """One guard process and what it was told.

    Args:
        lock: the stack's; the guard inherits it, so it stays held until the guard has ended the last child.
    """

    def __init__(self, lock: FileLock, log: Path) -> None:
        self._lock, self._log = lock, log
        self._lines: dict[int, bytes] = {}
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def add(self, pid: int, gentle: signal.Signals) -> None:
        """From now on the child ends when this process does; `gentle` is what stops it in order."""
        started = start_time(pid)
        if started is not None:
            self._lines[pid] = f"+ {pid} {started} {gentle.name}\n".encode()
            self._tell(self._lines[pid])

    def remove(self, pid: int) -> None:
        if self._lines.pop(pid, None) is not None:
            self._tell(f"- {pid}\n".encode())

    def revive(self) -> bool:
        """Start another guard when this one has died; whether that was so."""
        if self._process.poll() is None:
            return False
        self._close_pipe()
        self._process = self._start()
        for line in self._lines.values():
            self._tell(line)
        return True

    def close(self) -> None:
        """Let the guard end; it ends whatever child is left first."""
        self._close_pipe()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "prodigon_lib.stack.guard"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                bufsize=0,
                cwd="/",
                env=base_environment(),
                pass_fds=[self._lock.fileno()],
                start_new_session=True,  # a signal to the supervisor's group must not reach it
            )

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died: `revive` tells the next one
            os.write(self._process.stdin.fileno(), line)

    def _close_pipe(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
