"""The trace view as a widget."""

from prodigon_lib.widgets.panel import Panel
from prodigon_lib.widgets.trace.desk import TraceDesk


class TraceView(Panel):
    """One request's way through the services: its spans as a waterfall, with their attributes and log lines.

        TraceView()                         # of the default stack, started if need be
        TraceView(stack)

    It takes a request id, or follows the newest.
    """

    KIND = "trace"
    TITLE = "The trace"
    DESK = TraceDesk
