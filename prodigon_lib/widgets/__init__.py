"""Panels of a running system, for notebooks: one line each.

    from prodigon_lib.widgets import ChatPanel

    ChatPanel()          # of the default stack, which is started if it does not run
    ChatPanel(stack)     # of this one
    ChatPanel("http://127.0.0.1:8000")  # of any gateway

The kernel talks to the gateway, the browser only to the kernel. Each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prodigon_lib.widgets.chat import ChatPanel
    from prodigon_lib.widgets.dashboard import Dashboard
    from prodigon_lib.widgets.jobs import JobsPanel
    from prodigon_lib.widgets.trace import TraceView

_HOMES = {
    "ChatPanel": "chat",
    "Dashboard": "dashboard",
    "JobsPanel": "jobs",
    "TraceView": "trace",
}

__all__ = ["ChatPanel", "Dashboard", "JobsPanel", "TraceView"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
