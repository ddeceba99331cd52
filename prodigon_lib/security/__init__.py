"""Who may do what, and how often; and what to do with text of strangers, in a prompt and in an answer.

    from prodigon_lib.security import Canary, Spotlight, hidden_in, with_hidden_shown, without_hidden

Each of these names is loaded when it is first used: no service needs them to start.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prodigon_lib.security.canary import Canary
    from prodigon_lib.security.hidden_text import hidden_in, with_hidden_shown, without_hidden
    from prodigon_lib.security.spotlight import Spotlight

__all__ = ["Canary", "Spotlight", "hidden_in", "with_hidden_shown", "without_hidden"]

HOMES = {"Canary": "canary", "Spotlight": "spotlight"}


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module(f"prodigon_lib.security.{HOMES.get(name, 'hidden_text')}"), name)
    raise AttributeError(f"module 'prodigon_lib.security' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
