"""What serves goes on when its log can't be written."""

import errno
import io
import sys

import pytest

from prodigon_lib.core.logging import RequestLog, StdoutLogger
from prodigon_lib.core.settings import Settings


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_the_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", FullDisk())
    StdoutLogger().warning("a line\n")
    RequestLog("gateway", Settings(_env_file=None)).write("GET", "/", 200, 0.1)
