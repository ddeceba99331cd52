"""A worker process over an answer to exercise 7.3; it does what each line of its input says.

python vector_worker.py ANSWER FILE ROWS

`open` makes the object, `all` looks at every row, `row N` gives one as hexadecimal, `evict` evicts; each is
answered with a line. It imports nothing but the standard library: what it holds should be the answer's.
"""

import gc
import importlib.util
import sys
from pathlib import Path
from typing import Any


def load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("share_it", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(answer: str, file: str, rows: str) -> None:
    module = load(answer)
    print("loaded", flush=True)
    vectors: Any = None
    for line in sys.stdin:
        order, _, number = line.strip().partition(" ")
        said = "done"
        if order == "open":
            vectors = module.Vectors(Path(file))
        elif order == "all":
            for place in range(int(rows)):
                vectors.row(place)
        elif order == "row":
            said = bytes(memoryview(vectors.row(int(number)))).hex()
        elif order == "evict":
            vectors.evict()
            gc.collect()
        print(said, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
