"""Sends the head of an answer in one piece with what follows it at once.

Sent by itself, the head can reach a balancer from a service that dies before the body leaves it: then half an
answer is on its way to the client, and nobody may ask another replica any more.
"""

import asyncio
from typing import Any

HEAD = b"HTTP/1.1 "


class Joining:
    """A transport that holds an answer's head back until more is written, or until the loop's next pass."""

    def __init__(self, transport: Any) -> None:
        self._transport, self._head = transport, b""
        self._soon = asyncio.get_running_loop().call_soon
        self.is_closing = transport.is_closing  # asked for each piece that comes in

    def write(self, data: bytes) -> None:
        if self._head:
            self._transport.writelines((self._head, data))
            self._head = b""
        elif data.startswith(HEAD):
            self._head = data
            self._soon(self._let_go)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._let_go()
        self._transport.close()

    def _let_go(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
