"""Prodigon: a production AI system that fits on a laptop, to run, measure, break and secure.

    from prodigon_lib import Stack

    stack = Stack.start()
    print(stack.client().generate("Explain microservices in one sentence").text)
    stack.stop()

Importing this package costs next to nothing: each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prodigon_lib.client import AsyncClient, Client, Job
    from prodigon_lib.stack import Stack

_HOMES = {
    "Stack": "prodigon_lib.stack",
    "Client": "prodigon_lib.client",
    "AsyncClient": "prodigon_lib.client",
    "Job": "prodigon_lib.client",
}

__all__ = ["AsyncClient", "Client", "Job", "Stack"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "__version__":
        from prodigon_lib.core.version import library_version

        return library_version()
    raise AttributeError(f"module 'prodigon_lib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
