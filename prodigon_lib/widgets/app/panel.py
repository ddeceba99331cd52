"""The page with all panels as a widget."""

from typing import ClassVar

import traitlets
from ipywidgets import widget_serialization

from prodigon_lib.widgets.app.desk import AppDesk, Lessons
from prodigon_lib.widgets.chat import ChatPanel
from prodigon_lib.widgets.dashboard import Dashboard
from prodigon_lib.widgets.desk import Desk
from prodigon_lib.widgets.jobs import JobsPanel
from prodigon_lib.widgets.panel import Panel
from prodigon_lib.widgets.target import System, Target
from prodigon_lib.widgets.trace import TraceView


class App(Panel):
    """Every panel of one system behind tabs, a landing page with the lessons first, a palette over them all.

    `prodigon app` shows it; the lessons are given from outside, as the panels know nothing of a workshop.
    """

    KIND = "app"
    TITLE = "The panels"
    PANELS: ClassVar[tuple[type[Panel], ...]] = (ChatPanel, JobsPanel, Dashboard, TraceView)

    panels: traitlets.List[Panel] = traitlets.List().tag(sync=True, **widget_serialization)

    def __init__(self, system: System = None, *, lessons: Lessons, user: str | None = None) -> None:
        target = Target.of(system)
        shared = target.stack or target.url
        self._lessons = lessons
        super().__init__(shared, user=user, panels=[kind(shared, user=user) for kind in self.PANELS])

    def close(self) -> None:
        """The panels in it too."""
        for panel in self.panels:
            panel.close()
        super().close()

    def _make_desk(self) -> Desk:
        return AppDesk(self.target, self._bridge, self._lessons)
