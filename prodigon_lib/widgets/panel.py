"""A panel as a widget."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import uuid4

import anywidget
import traitlets

from prodigon_lib.widgets.assets import STATIC
from prodigon_lib.widgets.background import shared_background
from prodigon_lib.widgets.bridge import Bridge
from prodigon_lib.widgets.desk import Desk
from prodigon_lib.widgets.target import System, Target


class Panel(anywidget.AnyWidget):
    """The base of every panel: one line in a notebook, in as many views as it is displayed.

    A subclass names its `KIND`, the module of the page that shows it, and its `DESK`. Nothing happens until a
    page shows it. Messages of the browser arrive in any thread, also while a cell runs, and are dealt with in
    the background.
    """

    _esm = STATIC / "panels.js"
    kind = traitlets.Unicode().tag(sync=True)
    panel_id = traitlets.Unicode().tag(sync=True)

    KIND: ClassVar[str]
    TITLE: ClassVar[str]
    DESK: ClassVar[type[Desk]]

    def __init__(
        self,
        system: System = None,
        *,
        user: str | None = None,
        password: str | None = None,
        api_key: str | None = None,
        **state: Any,
    ) -> None:
        """Args: system: a `Stack`, a gateway's URL, or nothing for the default stack, started if need be.

        user, password, api_key: who looks, where accounts are on; a stack's user needs no password. They
            stay in the kernel. `state` is what a subclass has beside ours for its page.
        """
        self.target = Target.of(system, user=user, password=password, api_key=api_key)
        super().__init__(kind=self.KIND, panel_id=uuid4().hex, **state)
        keep_its_shell(self.comm)
        self._bridge = Bridge(lambda message, buffers: self.send(message, buffers))
        self._desk: Desk | None = None
        self.on_msg(lambda _, message, __: shared_background().call(self._receive, message))

    def close(self) -> None:
        """End all that it does, and take it off every page."""
        if self.comm is not None:
            shared_background().submit(self._close()).result(10)
        super().close()

    def _receive(self, message: Mapping[str, Any]) -> None:
        if self._desk is None:
            self._desk = self._make_desk()
            self._bridge.serve(self._desk.handlers(), self._desk.chores())
        self._bridge.receive(message)

    def _make_desk(self) -> Desk:
        return self.DESK(self.target, self._bridge)

    async def _close(self) -> None:
        await self._bridge.close()
        if self._desk is not None:
            await self._desk.close()
            self._desk = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.target.name!r})"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """With words for where no widget can be shown, or its kernel is gone."""
        shown = super()._repr_mimebundle_()
        if shown is None:
            return None
        words = f"{self.TITLE} of {self.target.name}: run this cell to see it."
        return {**shown[0], "text/plain": words}, shown[1]


def keep_its_shell(comm: Any) -> None:
    """Let the page say in which of the kernel's shells its messages are dealt with.

    From 7.4 on ipykernel puts them into the one that our last message came from, which is the main one as
    long as the page has not asked for anything: there they would wait for the cell that runs.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _, asked_for: asked_for
