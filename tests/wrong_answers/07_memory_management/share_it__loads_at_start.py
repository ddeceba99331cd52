# fails: opened and not asked yet
from array import array

DIMENSIONS = 256
ROW_BYTES = 4 * DIMENSIONS


class Vectors:
    def __init__(self, path):
        self.data = path.read_bytes()

    def row(self, number):

        found = array("f")
        found.frombytes(self.data[number * ROW_BYTES : (number + 1) * ROW_BYTES])
        return found

    def evict(self):
        self.data = None
