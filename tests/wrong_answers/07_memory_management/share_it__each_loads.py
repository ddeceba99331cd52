# fails: four workers together
from array import array

DIMENSIONS = 256
ROW_BYTES = 4 * DIMENSIONS


class Vectors:
    def __init__(self, path):
        self.path, self.data = path, None

    def row(self, number):
        if self.data is None:
            self.data = self.path.read_bytes()
        found = array("f")
        found.frombytes(self.data[number * ROW_BYTES : (number + 1) * ROW_BYTES])
        return found

    def evict(self):
        self.data = None
