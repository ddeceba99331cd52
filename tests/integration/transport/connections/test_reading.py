"""What comes is read as aiohttp reads it, which has met more of the world."""

from typing import Any

import aiohttp
import pytest

from prodigon_lib.transport.connections.faults import ConnectionBroke
from tests.integration.transport.connections.servers import HELLO, OK, pooled, saying, served, whole


async def ours(url: str) -> Any:
    async with pooled() as pool:
        try:
            answer = await pool.ask("POST", url, "/", {}, b"{}")
            return answer.status, await whole(answer)
        except ConnectionBroke:
            return "broke"


async def aiohttps(url: str) -> Any:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        try:
            async with session.post(url, data=b"{}") as response:
                return response.status, await response.read()
        except aiohttp.ClientError:
            return "broke"


@pytest.mark.parametrize("end", ["closes", "resets"])
@pytest.mark.parametrize(
    "answer",
    [
        HELLO,
        HELLO[:-1],
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nHello\r\n0\r\n\r\n",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nHello",
        b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 5\r\n\r\nHello",
        b"HTTP/1.1 500 Sorry\r\nContent-Length: 5\r\n\r\nHello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nHello",
        OK + b"Content-Length: five\r\n\r\nHello",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"",
    ],
)
async def test_it_reads_what_aiohttp_reads(answer: bytes, end: str) -> None:
    async with served(saying(answer, end=end)) as server:
        assert await ours(server.url) == await aiohttps(server.url)


async def test_a_body_without_a_length_is_whole_only_where_its_end_was_orderly() -> None:
    endless = OK + b"X-One: 1\r\n\r\nHello"
    async with served(saying(endless, end="closes")) as server:
        assert await ours(server.url) == await aiohttps(server.url) == (200, b"Hello")
    async with served(saying(endless, end="resets")) as server:
        assert await ours(server.url) == "broke"
