"""The model's troubles as the panel has them, and as the simulated model is told them."""

from collections.abc import Mapping
from typing import Any

SLOW, FAIL, LIMIT, CUT = "slow", "fail", "limit", "cut"
Harm = dict[str, float]
"""`slow`: seconds before an answer. `fail`, `cut`: per cent of the requests. `limit`: requests a minute.

What is not there, or 0, is off."""

TOKENS_BEFORE_A_CUT = 10


def controls_of(harm: Mapping[str, float]) -> dict[str, Any]:
    """For `stack.simulated.set`: both parts whole, so that nothing set before stays."""
    faults: dict[str, Any] = {}
    if fail := harm.get(FAIL):
        faults |= {"error_rate": fail / 100, "error_status": 500}
    if slow := harm.get(SLOW):
        faults |= {"stall_rate": 1.0, "stall_seconds": slow, "stall_after": 0}
    if cut := harm.get(CUT):
        faults |= {"cut_rate": cut / 100, "cut_after": TOKENS_BEFORE_A_CUT}
    limit = harm.get(LIMIT)
    return {"faults": faults, "limits": {"requests_per_minute": int(limit)} if limit else {}}


def harm_of(controls: Mapping[str, Any]) -> Harm:
    """What is set, also by somebody else."""
    faults, limits = controls["faults"], controls["limits"]
    return {
        SLOW: faults["stall_seconds"] if faults["stall_rate"] else 0.0,
        FAIL: 100 * faults["error_rate"],
        LIMIT: limits["requests_per_minute"] or 0,
        CUT: 100 * faults["cut_rate"],
    }
