"""Ends a check's process and everything that it started, also what hid from it."""

import os
import signal
import subprocess
from contextlib import suppress

import psutil

from prodigon_lib.workshop.checks.surroundings import TAG

GENTLE_SECONDS = 2.0


def end_everything(process: subprocess.Popen[bytes], tag: str) -> None:
    """Kill the process group, then find by its tag what left the group, and end that as well.

    What left the group may be a service with files to close: it is asked first.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    strays = tagged(tag)
    for stray in strays:
        with suppress(psutil.Error):
            stray.terminate()
    if strays:
        psutil.wait_procs(strays, timeout=GENTLE_SECONDS)
    for stray in tagged(tag) if strays else []:
        with suppress(psutil.Error):
            stray.kill()


def tagged(tag: str) -> list[psutil.Process]:
    """Every process whose environment carries the tag: what is inherited can't be left behind by accident."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(TAG) == tag:
                found.append(process)
    return found
