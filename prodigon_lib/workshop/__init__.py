"""What a lesson needs: exercises and their checks, load and measurement, tables, plots and diagrams.

    from prodigon_lib.workshop import check, hint, progress, quiz, reset, solution

    check("3.1")

Each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prodigon_lib.workshop.notebook import check, hint, progress, quiz, reset, solution

__all__ = ["check", "hint", "progress", "quiz", "reset", "solution"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("prodigon_lib.workshop.notebook"), name)
    raise AttributeError(f"module 'prodigon_lib.workshop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
