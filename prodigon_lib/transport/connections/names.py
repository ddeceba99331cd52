"""The addresses of a service's name."""

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

KEPT = 10.0
"""Seconds for which what was found is good."""

AddressInfo = tuple[int, int, int, str, Any]
"""As `socket.getaddrinfo` gives it."""


class Name:
    """One name. All who ask at once share a lookup, which takes a thread; an address needs none."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._found = literal(host, port)
        self._good_until = float("inf") if self._found else 0.0
        self._asking: asyncio.Task[list[AddressInfo]] | None = None

    async def addresses(self) -> list[AddressInfo]:
        """Raises: OSError: there is no such name, or `close` came first."""
        if asyncio.get_running_loop().time() < self._good_until:
            return self._found
        if (asking := self._asking) is None:
            asking = self._asking = asyncio.create_task(self._look_up())
            asking.add_done_callback(self._answered)
        try:
            return await asyncio.shield(asking)  # who gives up leaves it to the others
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if asking.cancelled() and not (task and task.cancelling()):
                raise OSError("nobody looks any more") from error
            raise

    def forget(self) -> None:
        """Nobody was there: the service may have moved."""
        if not literal(self._host, self._port):
            self._good_until = 0.0

    def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    async def _look_up(self) -> list[AddressInfo]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise OSError("no name of a machine") from error
        self._found, self._good_until = list(found), loop.time() + KEPT
        return self._found

    def _answered(self, asked: "asyncio.Task[list[AddressInfo]]") -> None:
        self._asking = None
        if not asked.cancelled():
            asked.exception()  # all who wanted to know may have gone


def literal(host: str, port: int) -> list[AddressInfo]:
    """Of what is an address already; none of a name."""
    try:
        version = ip_address(host).version
    except ValueError:
        return []
    if "%" in host:  # of a link; which one, only the machine knows
        return []
    if version == 6:
        return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
