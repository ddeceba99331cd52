"""Starts and supervises the whole system on one machine.

`Stack` is what others use; each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prodigon_lib.stack.probe import Health
    from prodigon_lib.stack.simulated import SimulatedModel
    from prodigon_lib.stack.stack import Stack
    from prodigon_lib.stack.status import ServiceStatus, StackStatus
    from prodigon_lib.stack.traces import Span

_HOMES = {
    "Health": "probe",
    "ServiceStatus": "status",
    "SimulatedModel": "simulated",
    "Span": "traces",
    "Stack": "stack",
    "StackStatus": "status",
}

__all__ = ["Health", "ServiceStatus", "SimulatedModel", "Span", "Stack", "StackStatus"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
