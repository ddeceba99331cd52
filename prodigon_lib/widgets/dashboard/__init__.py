"""The dashboard: every service's figures, its logs, and on a development stack the faults."""

from prodigon_lib.widgets.dashboard.panel import Dashboard

__all__ = ["Dashboard"]
