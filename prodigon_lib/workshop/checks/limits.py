"""What the process of a check may use; set from within, before the answer is loaded."""

import ctypes
import resource
import signal
import sys
from contextlib import suppress

MEGABYTE = 1024 * 1024
PR_SET_PDEATHSIG = 1


def limit_memory(megabytes: int) -> None:
    """Let an allocation beyond this raise `MemoryError`.

    Twice what the check may hold: this counts memory that was asked for and never touched, stacks of threads
    above all. What is really held is watched from outside.
    """
    most = 2 * megabytes * MEGABYTE
    with suppress(ValueError, OSError):  # macOS has the call and ignores it
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))


def lift_memory_limit() -> None:
    """Room to say what happened, once the check is over."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def forbid_core_files() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with_parent() -> None:
    """End when the kernel or terminal that asked for the check dies; off Linux the deadline does that."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
