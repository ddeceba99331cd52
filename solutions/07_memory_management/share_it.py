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
        # <gap> Nothing needs to be read yet.
        # | self.data = path.read_bytes()
        self.mapped: mmap.mmap | None = None
        # </gap>

    def row(self, number: int) -> "array[float]":
        # <gap> Let the kernel bring in the pages that are looked at, one copy for all processes.
        # | found = array("f")
        # | found.frombytes(self.data[number * ROW_BYTES : (number + 1) * ROW_BYTES])
        # | return found
        if self.mapped is None:
            with self.path.open("rb") as file:
                self.mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # A copy of one row: a memoryview of it would keep the mapping open, and evict could not close it.
        # os.pread would do as well; then only the kernel's page cache holds the file.
        found = array("f")
        found.frombytes(self.mapped[number * ROW_BYTES : (number + 1) * ROW_BYTES])
        return found
        # </gap>

    def evict(self) -> None:
        """Give the memory back until the next look-up."""
        # <gap> Let go of what `row` has brought in.
        if self.mapped is not None:
            self.mapped.close()
            self.mapped = None
        # </gap>
