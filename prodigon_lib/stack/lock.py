"""A lock between processes that the system lets go of when its holder dies."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from prodigon_lib.core.errors import StackError

POLL = 0.02


class FileLock:
    """An exclusive lock on a file. The file stays: removing it would let two processes hold two locks.

    Args:
        timeout: seconds to wait for it.
        busy: what the error says when it was not free in time.

    Raises:
        StackError: on entry, when it was not free in time.
    """

    def __init__(self, path: Path, *, timeout: float, busy: str) -> None:
        self.path, self.timeout, self.busy = path, timeout, busy
        self._file: int | None = None

    def acquire(self) -> Self:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(file)
                    raise StackError(self.busy) from None
                time.sleep(POLL)
            else:
                self._file = file
                return self

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def fileno(self) -> int:
        """The descriptor; a process that inherits it holds the lock too, until both are gone."""
        assert self._file is not None
        return self._file

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
