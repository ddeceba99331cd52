"""One connection, without the event loop's part in it."""

import asyncio

import pytest

from prodigon_lib.transport.connections.connection import Connection
from prodigon_lib.transport.connections.faults import ConnectionBroke


async def test_a_call_over_one_that_has_ended_breaks() -> None:
    ended: list[bool] = []
    connection = Connection(lambda _, again: ended.append(again), lambda _: None)
    answer = connection.call(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(ConnectionBroke):
        await asyncio.wait_for(answer.begin(), 10)
    answer.release()
    assert ended == [False]
