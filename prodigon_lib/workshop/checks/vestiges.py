"""Ends a check's process and everything that it started, also what hid from it."""

import os
import signal
import subprocess
import time
from contextlib import suppress

import psutil

from prodigon_lib.workshop.checks.surroundings import TAG

GENTLE_SECONDS = 2.0
LOOK_AGAIN = 0.02


def end_everything(process: subprocess.Popen[bytes], tag: str) -> None:
    """Kill the process group, then find by its tag what left the group, and end that as well.

    What left the group may be a service with files to close: it is asked first.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stray in tagged(tag):
        with suppress(psutil.Error):
            stray.terminate()
    end = time.monotonic() + GENTLE_SECONDS
    while (strays := tagged(tag)) and time.monotonic() < end:
        time.sleep(LOOK_AGAIN)
    for stray in strays:
        with suppress(psutil.Error):
            stray.kill()


def tagged(tag: str) -> list[psutil.Process]:
    """Every living process whose environment carries the tag: nothing sheds that by accident."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(TAG) == tag:
                found.append(process)
    return found
