"""The kernel's end of a panel: answers what its views ask, and knows which views there are."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from prodigon_lib.core.errors import BadRequest
from prodigon_lib.widgets.outbox import Outbox, Send
from prodigon_lib.widgets.wire import Attached, fault_of

Handler = Callable[..., Coroutine[Any, Any, Any] | AsyncIterator[Any]]
Chore = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)

AGAIN_SECONDS = 2.0
SILENT_SECONDS = 180.0
"""A view that says nothing for so long is gone: a page in the background may speak only once a minute."""


class Bridge:
    """Carries asks to handlers, and what they give back to the browser.

    A handler is a coroutine function, or an async generator, whose items go out as they come. Chores run
    while there is a view to see their work. All of it lives in one event loop.
    """

    def __init__(self, send: Send, *, silent_seconds: float = SILENT_SECONDS) -> None:
        self.outbox = Outbox(send)
        self._handlers: Mapping[str, Handler] = {}
        self._chores: Sequence[Chore] = ()
        self._asks: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._working: list[asyncio.Task[None]] = []
        self._heard: dict[str, float] = {}
        self._silent = silent_seconds
        self._sweep: asyncio.TimerHandle | None = None

    def serve(self, handlers: Mapping[str, Handler], chores: Sequence[Chore] = ()) -> None:
        """Answer with these, from now on."""
        self._handlers, self._chores = handlers, chores

    @property
    def views(self) -> frozenset[str]:
        return frozenset(self._heard)

    def receive(self, message: Mapping[str, Any]) -> None:
        """A message of the browser, as `wire` lists them; others are ignored."""
        match message:
            case {"kind": "hello", "view": str(view)}:
                self._hear(view)
                self.outbox.post({"kind": "alive", "unknown": []})
            case {"kind": "alive", "views": list(views), "asks": list(asks)}:
                for view in views:
                    self._hear(view)
                self.outbox.post({"kind": "alive", "unknown": [ask for ask in asks if ask not in self._asks]})
            case {"kind": "bye", "view": str(view)}:
                self._leave(view)
            case {"kind": "ask", "id": str(ask), "view": str(view), "method": str(method)}:
                self._hear(view)
                self._begin(ask, view, method, message.get("params") or {})
            case {"kind": "cancel", "id": str(ask)} if ask in self._asks:
                self._asks[ask][1].cancel()

    def publish(self, name: str, value: Any, *, latest: bool = False) -> None:
        """Tell every view; with `latest`, only the newest value of one beat goes out."""
        message = {"kind": "event", "name": name, "value": value}
        if latest:
            self.outbox.post_latest(f"event {name}", message)
        else:
            self.outbox.post(message)

    def publish_text(self, name: str, value: dict[str, Any], text: str, *, key: str) -> None:
        """Tell every view of more text; what comes within one beat arrives as one `text`."""
        self.outbox.post_text(
            f"text {name} {key}", {"kind": "event", "name": name, "value": value, "text": ""}, text
        )

    async def close(self) -> None:
        """End every ask and every chore; returns when they have ended."""
        for view in list(self._heard):
            self._leave(view)
        tasks = [task for _, task in self._asks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._working, return_exceptions=True)
        self.outbox.close()

    def _begin(self, ask: str, view: str, method: str, params: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(
            self._answer(ask, method, params), name=f"panel {method}"
        )
        self._asks[ask] = (view, task)
        task.add_done_callback(lambda _: self._asks.pop(ask, None))

    async def _answer(self, ask: str, method: str, params: dict[str, Any]) -> None:
        try:
            handler = self._handlers.get(method)
            if handler is None:
                raise BadRequest(f"this panel does not know {method!r}")
            work = handler(**params)
            if inspect.isasyncgen(work):
                await self._stream(ask, work)
                return
            value = await work  # type: ignore[misc]
            buffers = value.buffers if isinstance(value, Attached) else ()
            value = value.value if isinstance(value, Attached) else value
            self.outbox.post({"kind": "answer", "id": ask, "value": value}, buffers)
        except Exception as error:
            self.outbox.post({"kind": "fault", "id": ask, "fault": fault_of(error)})

    async def _stream(self, ask: str, items: Any) -> None:
        try:
            async for item in items:
                self.outbox.post({"kind": "item", "id": ask, "value": item})
        finally:
            await items.aclose()
        self.outbox.post({"kind": "end", "id": ask})

    def _hear(self, view: str) -> None:
        loop = asyncio.get_running_loop()
        if not self._heard:
            self._working = [loop.create_task(keep_at(chore), name="panel chore") for chore in self._chores]
            self._sweep = loop.call_later(self._silent / 2, self._forget_silent)
        self._heard[view] = loop.time()

    def _forget_silent(self) -> None:
        loop = asyncio.get_running_loop()
        for view, heard in list(self._heard.items()):
            if loop.time() - heard > self._silent:
                self._leave(view)
        if self._heard:
            self._sweep = loop.call_later(self._silent / 2, self._forget_silent)

    def _leave(self, view: str) -> None:
        with suppress(KeyError):
            del self._heard[view]
        for owner, task in list(self._asks.values()):
            if owner == view:
                task.cancel()
        if not self._heard:
            for task in self._working:
                task.cancel()
            if self._sweep is not None:
                self._sweep.cancel()
                self._sweep = None


async def keep_at(chore: Chore) -> None:
    """A chore that fails is begun again: its page would go on showing what once was, as if it were so."""
    while True:
        try:
            return await chore()
        except Exception:
            log.exception("a panel's chore failed, and is begun again")
        await asyncio.sleep(AGAIN_SECONDS)
