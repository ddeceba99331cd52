"""What it costs to look: the same work bare, and under each profiler, in turns."""

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from prodigon_lib.workshop.checks.timing import Ratio, interleaved_ratio

Profiled = Callable[[], AbstractContextManager[object]]


def overhead(
    work: Callable[[], object], profilers: Mapping[str, Profiled], *, rounds: int = 7
) -> dict[str, Ratio]:
    """For each profiler how many times as long the work takes under it; 1 is no cost.

    Args:
        profilers: a name, and what makes the block that the work runs in, such as `traced`.
    """

    def under(profiled: Profiled) -> Callable[[], object]:
        def run() -> object:
            with profiled():
                return work()

        return run

    return {
        name: interleaved_ratio(work, under(profiled), rounds=rounds, steady=math.inf)
        for name, profiled in profilers.items()
    }
