"""The jobs panel: many prompts at once, and what became of them."""

from prodigon_lib.widgets.jobs.panel import JobsPanel

__all__ = ["JobsPanel"]
