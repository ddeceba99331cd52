"""All panels as one page with tabs."""

from prodigon_lib.widgets.app.panel import App

__all__ = ["App"]
