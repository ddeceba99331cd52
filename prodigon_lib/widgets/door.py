"""The gateway's door as a panel meets it: whether it is let in, and what to say when it is not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from prodigon_lib.client import AsyncClient
from prodigon_lib.client.calls import Answer, Call
from prodigon_lib.core.errors import Unauthenticated
from prodigon_lib.widgets.target import Target


class Door:
    """`words` says why it is shut, to whoever looks at the panel; they are empty while it is open."""

    def __init__(self, target: Target, tell: Callable[[str], None]) -> None:
        """Args: `tell` hears of changes only."""
        self._refusal = refusal_of(target)
        self._tell = tell
        self.words = ""

    @contextmanager
    def tried(self, call: Call[Any]) -> Iterator[None]:
        """Around a call.

        Raises:
            Unauthenticated: the gateway does not let the panel in; with our words, which say what to do.
        """
        try:
            yield
        except Unauthenticated as error:
            self._become(self._refusal)
            refused = Unauthenticated(self._refusal, code=error.code)
            refused.request_id = error.request_id
            raise refused from None
        if not call.public:
            self._become("")

    def _become(self, words: str) -> None:
        if words != self.words:
            self.words = words
            self._tell(words)


class PanelClient(AsyncClient):
    """A client whose calls go through a door."""

    def __init__(self, door: Door, target: Target) -> None:
        super().__init__(target.url, **target.credential)
        self._door = door

    async def call(self, call: Call[Answer]) -> Answer:
        with self._door.tried(call):
            return await super().call(call)

    async def open(self, call: Call[None]) -> httpx.Response:
        with self._door.tried(call):
            return await super().open(call)


def refusal_of(target: Target) -> str:
    """Why a gateway would refuse that credential, and what helps."""
    if "api_key" in target.credential:
        return (
            "The gateway does not take this API key: it was revoked, or has run out. "
            "Give the panel another one, and run its cell again."
        )
    if (user := target.credential.get("user")) is not None:
        return (
            f"The gateway does not let {user} in: the account was disabled, its login ended, or the password "
            "is not good. Ask an operator, then run this panel's cell again."
        )
    who = 'user="ada"' if target.stack is not None else 'user="ada" and password=…, or api_key=…'
    nobodys = "Accounts are on here, and this panel is nobody's."
    return f"{nobodys} Say whose it is, with {who}, and run its cell again."
