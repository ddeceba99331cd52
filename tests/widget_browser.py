"""The browser's end of a panel's bridge, without a browser."""

from collections.abc import Mapping, Sequence
from typing import Any

from prodigon_lib.widgets.bridge import Bridge, Chore, Handler
from tests.polling import eventually


class FakeBrowser:
    """Keeps what the kernel sends; `bridge` is the kernel's end."""

    def __init__(self, **options: Any) -> None:
        self.got: list[dict[str, Any]] = []
        self.buffers: list[bytes] = []
        self.batches = 0
        self.asked = 0
        self.bridge = Bridge(self._take, **options)

    def _take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        self.batches += 1
        self.got += message["batch"]
        self.buffers += buffers

    def serve(self, handlers: Mapping[str, Handler], chores: Sequence[Chore] = ()) -> None:
        self.bridge.serve(handlers, chores)

    def say(self, kind: str, **fields: Any) -> None:
        self.bridge.receive({"kind": kind, **fields})

    def ask(self, method: str, id: str = "1", view: str = "v", **params: Any) -> None:
        self.say("ask", id=id, view=view, method=method, params=params)

    async def heard(self, kind: str) -> dict[str, Any]:
        """The first message of a kind."""
        return await eventually(lambda: next((m for m in self.got if m["kind"] == kind), None))

    async def answer(self, method: str, **params: Any) -> Any:
        """Ask, and give the answer's value, or the fault as it is."""
        self.asked += 1
        id = f"ask-{self.asked}"
        self.ask(method, id=id, **params)
        got = await eventually(lambda: next((m for m in self.got if m.get("id") == id), None))
        return got["value"] if got["kind"] == "answer" else got["fault"]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [message for message in self.got if message["kind"] == "event" and message["name"] == name]
