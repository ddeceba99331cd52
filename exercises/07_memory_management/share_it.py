"""Exercise 7.3: four workers, one copy.

Each worker process looks vectors up in one large file. Today each of them loads it whole as it starts.
Done when

- a worker that was not asked yet holds next to nothing;
- four workers that have looked at every vector hold together at most one and a half times the file;
- `evict` gives the memory back, and the next look-up works as ever.

The file has rows of `DIMENSIONS` floats of four bytes each, in this machine's byte order.
"""

import mmap
from array import array
from pathlib import Path

DIMENSIONS = 256
ROW_BYTES = 4 * DIMENSIONS


class Vectors:
    """The rows of a file that does not change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # TODO Nothing needs to be read yet.
        self.data = path.read_bytes()

    def row(self, number: int) -> "array[float]":
        # TODO Let the kernel bring in the pages that are looked at, one copy for all processes.
        found = array("f")
        found.frombytes(self.data[number * ROW_BYTES : (number + 1) * ROW_BYTES])
        return found

    def evict(self) -> None:
        """Give the memory back until the next look-up."""
        # TODO Let go of what `row` has brought in.
        raise NotImplementedError
