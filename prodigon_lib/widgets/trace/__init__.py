"""The trace view: one request's way through the services."""

from prodigon_lib.widgets.trace.panel import TraceView

__all__ = ["TraceView"]
