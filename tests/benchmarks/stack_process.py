"""A fresh Python that starts a stack, or attaches to one; says so in JSON, holds it until input ends.

python -m tests.benchmarks.stack_process start|attach
"""

import json
import sys
import time

NAME = "benchmark"


def main(wish: str) -> None:
    began = time.perf_counter()
    from prodigon_lib import Stack

    imported = time.perf_counter()
    stack = Stack.start(NAME, profile="instant")
    started = time.perf_counter()
    facts = {
        "import_s": imported - began,
        "start_s": started - imported,
    }
    if wish == "start":
        next(iter(stack.client().stream("Say one word.", max_tokens=8)))
        facts["first_token_s"] = time.perf_counter() - imported
    print(json.dumps({**facts, "url": stack.url, "pids": stack.status().pids}), flush=True)
    sys.stdin.read()
    if wish == "start":
        stack.stop()


if __name__ == "__main__":
    main(sys.argv[1])
