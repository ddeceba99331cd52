"""The jobs panel as a widget."""

from prodigon_lib.widgets.jobs.desk import JobsDesk
from prodigon_lib.widgets.panel import Panel


class JobsPanel(Panel):
    """Jobs: prompts in, every job's progress as it happens, results in the order of the prompts.

    JobsPanel()                         # of the default stack, started if need be
    JobsPanel(stack)
    JobsPanel("http://127.0.0.1:8000")
    JobsPanel(stack, user="ada")        # where accounts are on
    """

    KIND = "jobs"
    TITLE = "The jobs"
    DESK = JobsDesk
