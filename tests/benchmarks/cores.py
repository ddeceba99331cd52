"""Which core does what: the gateway has one to itself, the client and the model server share another."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """Core numbers; `None` where nothing is pinned, since the machine has one core or no `taskset`."""

    load: int | None
    gateway: int | None

    @classmethod
    def found(cls) -> "Cores":
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < 2 or shutil.which("taskset") is None:
            return cls(None, None)
        return cls(usable[0], usable[1])


def pinned(command: Sequence[str], core: int | None) -> list[str]:
    return list(command) if core is None else ["taskset", "-c", str(core), *command]
