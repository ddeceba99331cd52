# fails: a worker process
import mmap
from array import array

DIMENSIONS = 256
ROW_BYTES = 4 * DIMENSIONS


class Vectors:
    def __init__(self, path):
        self.path, self.data = path, None

    def row(self, number):
        if self.data is None:
            with self.path.open("rb") as file:
                self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        found = array("f")
        found.frombytes(self.data[number * ROW_BYTES : (number + 1) * ROW_BYTES])
        return found

    def evict(self):
        self.data.close()
