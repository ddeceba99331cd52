"""The kernel's half of the page with all panels."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from prodigon_lib.widgets.bridge import Bridge, Handler
from prodigon_lib.widgets.desk import Desk
from prodigon_lib.widgets.target import Target

Lessons = Callable[[], dict[str, Any]]
"""What the landing page lists. It may read files: it is called in a thread of its own."""


class AppDesk(Desk):
    """The panels have desks of their own; this one knows the lessons."""

    def __init__(self, target: Target, bridge: Bridge, lessons: Lessons) -> None:
        super().__init__(target, bridge)
        self._lessons = lessons

    def handlers(self) -> Mapping[str, Handler]:
        return {**super().handlers(), "lessons": self.lessons}

    async def lessons(self) -> dict[str, Any]:
        """Read anew each time: a learner works on them meanwhile."""
        return await asyncio.to_thread(self._lessons)
