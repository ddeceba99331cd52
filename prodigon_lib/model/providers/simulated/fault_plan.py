"""Which fault meets the next request: drawn in turn, so that one seed gives one order of faults."""

import random
from dataclasses import dataclass
from enum import StrEnum

from prodigon_lib.model.providers.simulated.controls import Faults


class FaultKind(StrEnum):
    ERROR = "error"
    STALL = "stall"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Fault:
    """`after` is in tokens, `seconds` how long a stall lasts, `status` what an error answers."""

    kind: FaultKind
    after: int = 0
    seconds: float = 0.0
    status: int = 500
    retry_after: float | None = None


class FaultPlan:
    """Draws for each request in turn."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self._faults = faults
        self._chance = random.Random(f"faults {seed}")

    def draw(self, model: str) -> Fault | None:
        faults = self._faults
        if faults.models is not None and model not in faults.models:
            return None
        # Always three numbers: changing one rate leaves the draws of the others as they were.
        error, stall, cut = (self._chance.random() for _ in range(3))
        if error < faults.error_rate:
            return Fault(FaultKind.ERROR, status=faults.error_status, retry_after=faults.retry_after)
        if stall < faults.stall_rate:
            return Fault(FaultKind.STALL, after=faults.stall_after, seconds=faults.stall_seconds)
        if cut < faults.cut_rate:
            return Fault(FaultKind.CUT, after=faults.cut_after)
        return None
