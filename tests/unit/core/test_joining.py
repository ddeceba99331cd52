"""The head of an answer waits for its body, and never for long."""

import asyncio
from collections.abc import Iterable

from prodigon_lib.core.http.joining import Joining

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is sent, a piece a write."""

    def __init__(self) -> None:
        super().__init__({"peername": "somebody"})
        self.sent: list[bytes] = []

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.sent.append(data)

    def writelines(self, pieces: Iterable[object]) -> None:
        self.write(b"".join(piece for piece in pieces if isinstance(piece, bytes)))

    def close(self) -> None:
        self.sent.append(b"closed")


async def test_a_head_leaves_with_its_body() -> None:
    wire = Wire()
    transport = Joining(wire)
    transport.write(HEAD)
    assert not wire.sent
    transport.write(b"body")
    await asyncio.sleep(0)
    transport.write(b"more")
    assert wire.sent == [HEAD + b"body", b"more"]


async def test_a_head_without_a_body_yet_leaves_by_itself() -> None:
    wire = Wire()
    transport = Joining(wire)
    transport.write(HEAD)
    await asyncio.sleep(0)
    assert wire.sent == [HEAD]
    transport.write(b"later")
    assert wire.sent == [HEAD, b"later"]


async def test_a_head_leaves_before_the_end() -> None:
    wire = Wire()
    transport = Joining(wire)
    transport.write(HEAD)
    transport.close()
    await asyncio.sleep(0)
    assert wire.sent == [HEAD, b"closed"]
    assert transport.get_extra_info("peername") == "somebody"
