"""What a process of this machine holds: resident, and in proportion where it shares.

Resident memory counts a page for each process that has it, so that four workers over one mapped file seem to
hold it four times. Proportional memory divides each page by how many have it. Linux tells it; elsewhere the
memory that a process has for itself alone stands in for it, and `SHARE` says which one is measured.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

MEGABYTE = 1_000_000
SHARE = "proportional" if sys.platform == "linux" else "unshared"
"""What `Footprint.share` is on this system; `unshared` leaves shared pages out altogether."""

PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.M)


@dataclass(frozen=True)
class Footprint:
    """In megabytes."""

    resident: float
    share: float


def footprint(pid: int | None = None) -> Footprint:
    """Of that process, or of this one.

    Raises:
        psutil.Error: there is no such process, or it is somebody else's.
    """
    process = psutil.Process(pid)
    return Footprint(process.memory_info().rss / MEGABYTE, share_of(process) / MEGABYTE)


def share_of(process: psutil.Process) -> int:
    """Bytes; what `SHARE` names."""
    if SHARE == "proportional":
        try:
            found = PSS.search(Path(f"/proc/{process.pid}/smaps_rollup").read_text())
        except FileNotFoundError:  # the process has ended, or the kernel is older than 4.14
            return int(process.memory_full_info().pss)
        except PermissionError:
            raise psutil.AccessDenied(process.pid) from None
        if found is not None:
            return int(found[1]) * 1024
    return int(process.memory_full_info().uss)
