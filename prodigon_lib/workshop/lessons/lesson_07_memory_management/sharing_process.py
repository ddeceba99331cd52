"""The processes whose memory `sharing` measures.

python sharing_process.py WAY FILE COUNT

`load` and `map` are one worker; `fork` and `fork-objects` load first, then fork COUNT workers. Each worker
looks at all of it, prints its pid, and stays until the standard input ends. Nothing but the standard library
is imported, so that there is little else to hold.
"""

import mmap
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

PAGE = 4096
PIECE = 1000


def load(file: str) -> bytes:
    return Path(file).read_bytes()


def mapped(file: str) -> memoryview:
    with Path(file).open("rb") as opened:
        return memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))


def objects(file: str) -> list[bytes]:
    """The same bytes as many small objects, each with its count of references beside its data."""
    with Path(file).open("rb") as opened:
        return list(iter(lambda: opened.read(PIECE), b""))


KINDS: dict[str, Callable[[str], Sequence[object]]] = {
    "load": load,
    "map": mapped,
    "fork": load,
    "fork-objects": objects,
}


def look_at(data: Sequence[object]) -> int:
    """Every page of a buffer, or every object of a list."""
    step = 1 if isinstance(data, list) else PAGE
    return sum(1 for place in range(0, len(data), step) if data[place] is not None)


def report_and_wait(ended: int) -> None:
    os.write(sys.stdout.fileno(), b"%d\n" % os.getpid())  # in one write: five processes share this pipe
    os.read(ended, 1)


def main(way: str, file: str, count: str) -> None:
    data = KINDS[way](file)
    if not way.startswith("fork"):
        look_at(data)
        report_and_wait(sys.stdin.fileno())
        return
    ended, held = os.pipe()
    for _ in range(int(count)):
        if os.fork() == 0:
            os.close(held)  # the parent's end alone keeps the pipe open
            look_at(data)
            report_and_wait(ended)
            os._exit(0)
    report_and_wait(sys.stdin.fileno())


if __name__ == "__main__":
    main(*sys.argv[1:])
