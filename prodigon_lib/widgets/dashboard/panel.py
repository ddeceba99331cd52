"""The dashboard as a widget."""

from prodigon_lib.widgets.dashboard.desk import DashboardDesk
from prodigon_lib.widgets.panel import Panel


class Dashboard(Panel):
    """Every service's health and figures over the last minutes, the logs, and the faults.

        Dashboard()                         # of the default stack, started if need be
        Dashboard(stack)
        Dashboard("http://127.0.0.1:8000")  # the gateway alone, no logs and no faults

    It asks the services only while somebody sees it.
    """

    KIND = "dashboard"
    TITLE = "The dashboard"
    DESK = DashboardDesk
