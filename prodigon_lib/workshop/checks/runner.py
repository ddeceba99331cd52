"""The process of one check. Reads its order from stdin, answers on a pipe of its own, and ends.

python -m prodigon_lib.workshop.checks.runner
"""

import faulthandler
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from prodigon_lib.workshop.checks.channel import Channel
from prodigon_lib.workshop.checks.check import LONGEST, Attempt, Check
from prodigon_lib.workshop.checks.judgement import judge
from prodigon_lib.workshop.checks.limits import (
    die_with_parent,
    forbid_core_files,
    lift_memory_limit,
    limit_memory,
)
from prodigon_lib.workshop.checks.verdict import Cause, Verdict, fallen


def main() -> None:
    order = json.loads(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    channel = Channel(order.pop("fd"), order.pop("word"))
    die_with_parent()
    forbid_core_files()
    verdict = carry_out(order, channel)
    lift_memory_limit()
    channel.send("verdict", verdict.document())
    # At once: threads and exit handlers that the exercise left behind have had their time.
    os._exit(0)


def carry_out(order: dict[str, Any], channel: Channel) -> Verdict:
    path, folder = Path(order["path"]), Path(order["folder"])
    # Last, so that no file of a lesson or an exercise takes the place of another module.
    sys.path += [order["import_root"], str(path.parent), order["origin"]]
    try:
        check = find_check(order["module"])
    except Exception as error:
        step = "This is a fault of the lesson, not of your answer: please report it."
        said = f"{type(error).__name__}: {error}"
        return fallen(Cause.STUCK, "the check", f"it could not be loaded: {said}", "it can be loaded", step)
    seconds = min(order["seconds"], check.seconds, LONGEST)
    channel.send("limits", {"seconds": seconds, "memory_mb": check.memory_mb})
    with Path(order["trace"]).open("w", encoding="utf-8") as trace:
        faulthandler.enable(trace)
        # Ends the process even when nobody outside is left to do it, and says where it was.
        faulthandler.dump_traceback_later(seconds * 0.97, exit=True, file=trace)
        limit_memory(check.memory_mb)
        verdict = judge(check, Attempt(path, order["seed"], folder), seconds * 0.94)
        faulthandler.cancel_dump_traceback_later()
        return verdict


def find_check(name: str) -> Check:
    """The one check that a lesson's module defines.

    Raises:
        LookupError: none, or more than one.
    """
    module = importlib.import_module(name)
    kinds = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Check)]
    own = [kind for kind in kinds if kind.__module__ == module.__name__]
    if len(own) != 1:
        raise LookupError(f"{name} must define one subclass of Check, and defines {len(own)}")
    return own[0]()


if __name__ == "__main__":
    main()
