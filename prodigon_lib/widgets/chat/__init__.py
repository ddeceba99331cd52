"""The chat panel."""

from prodigon_lib.widgets.chat.panel import ChatPanel

__all__ = ["ChatPanel"]
