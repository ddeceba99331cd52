"""A process that starts a stack, says what it got, and holds it until its input ends.

python -m tests.integration.stack.holder NAME OPTIONS [fork]

With `fork` it has a child that inherited every descriptor, and lives on: made by the C library, so that no
hook of Python's ran in it.
"""

import ctypes
import json
import sys

from prodigon_lib import Stack


def main(name: str, options: str, *rest: str) -> None:
    stack = Stack.start(name, **json.loads(options))
    child = 0
    if "fork" in rest:
        library = ctypes.CDLL(None)
        child = library.fork()
        if child == 0:
            library.pause()
            library._exit(0)
    print(json.dumps({"pids": stack.status().pids, "urls": stack.urls, "child": child}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
