"""Tells whether a process id still belongs to the process that was meant.

A pid alone is no name: the system gives it away again. A pid with the moment its process started is one.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path


def start_time(pid: int) -> str | None:
    """When it started, in the system's own spelling; `None` when it is gone, or only waits to be reaped."""
    return from_proc(pid) if sys.platform == "linux" else from_psutil(pid)


def from_proc(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold spaces and brackets
    return None if fields[0] in "ZX" else fields[19]


def from_psutil(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None


def is_running(pid: int, started: str) -> bool:
    """Whether `pid` is still the process that started at `started`."""
    return start_time(pid) == started


def send(pid: int, wanted: signal.Signals) -> bool:
    """Send a signal; false when there is no such process any more."""
    try:
        os.kill(pid, wanted)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def send_to_group(pid: int, wanted: signal.Signals) -> None:
    """Send a signal to a process that leads a group, and to all of that group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, wanted)
