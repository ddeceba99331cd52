"""What nginx holds back: who is asked twice, how long it waits, how much it keeps."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import aiohttp
import psutil
import pytest

from prodigon_lib.stack.nginx.balance import Balance, Policy
from tests.integration.nginx.conftest import NAMES, Balanced, balanced
from tests.integration.nginx.replica import LARGE
from tests.polling import eventually

PATIENCE = 20.0
"""Seconds; what nginx does of itself when nothing is set takes sixty."""


@pytest.fixture(scope="module")
def four(program: Path) -> Iterator[Balanced]:
    """Four replicas, none of which is left alone for having failed."""
    names, forgiving = (*NAMES, "model-4"), {"max_fails=3": "max_fails=0"}
    with balanced(program, Balance(Policy.ROUND_ROBIN), names=names, instead=forgiving) as nginx:
        yield nginx


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address that takes no connection and refuses none."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for each in (first, second):  # there is room for one, and no room for two
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield "{}:{}".format(*listener.getsockname())


@pytest.mark.parametrize(
    ("service", "method", "path", "times"),
    [
        ("gateway", "GET", "/api/v1/jobs", 3),
        ("gateway", "POST", "/api/v1/generate", 3),
        ("gateway", "POST", "/api/v1/generate/stream", 3),
        ("gateway", "POST", "/v1/chat/completions", 3),
        ("gateway", "POST", "/openai/v1/chat/completions", 3),
        ("gateway", "POST", "/api/v1/jobs", 1),
        ("gateway", "POST", "/api/v1/chat/sessions", 1),
        ("gateway", "POST", "/api/v1/chat/sessions/1/stream", 1),
        ("gateway", "POST", "/api/v1/generated", 1),
        ("gateway", "PATCH", "/api/v1/chat/sessions/1", 1),
        ("model", "POST", "/inference", 3),
        ("model", "POST", "/other", 1),
    ],
)
async def test_only_what_is_safe_is_sent_again(
    four: Balanced, service: str, method: str, path: str, times: int
) -> None:
    request_id = uuid4().hex
    headers = {"X-Request-ID": request_id, "X-Break": "yes"}
    url = getattr(four, service) + path
    body = bytes(1_000_000)  # too much to be sent a second time, unless nginx has kept it
    async with aiohttp.ClientSession(headers=headers) as http, http.request(method, url, data=body) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, error["code"]) == (502, "UPSTREAM_ERROR")
    assert error["request_id"] == answer.headers["X-Request-ID"] == request_id
    assert four.received()[request_id] == times  # of four that it could have been


async def test_connections_to_replicas_are_kept(four: Balanced) -> None:
    async with aiohttp.ClientSession() as http:
        callers = set()
        for _ in range(40):
            async with http.post(f"{four.model}/inference", json={}) as answer:
                callers.add(tuple((await answer.json())["caller"]))
    assert len(callers) <= 2 * len(four.replicas)


async def test_the_figures_of_one_process_are_not_given_for_all(four: Balanced) -> None:
    async with aiohttp.ClientSession() as http:
        for url in (four.gateway, four.model):
            async with http.get(f"{url}/metrics") as answer:
                assert answer.status == 404
                assert (await answer.json())["error"]["code"] == "NOT_FOUND"
                assert answer.headers["Server"] == "nginx"  # and not which


async def test_long_headers_pass_and_endless_ones_do_not(four: Balanced) -> None:
    async with aiohttp.ClientSession() as http:
        for size, status in ((14_000, 200), (70_000, 400)):
            async with http.get(f"{four.gateway}/api/v1/jobs", headers={"Cookie": "x" * size}) as answer:
                assert answer.status == status
                assert "error" in await answer.json() or status == 200


async def test_an_answer_waits_with_the_replica_and_not_on_the_disk(four: Balanced) -> None:
    """A client that reads slowly would have nginx write all that is left into a file."""
    url = f"{four.gateway}/large"
    async with aiohttp.ClientSession(read_bufsize=1024) as http, http.get(url) as answer:
        size = sum([len(part) async for part in answer.content.iter_chunked(1024)])
    assert size == LARGE
    assert "response is buffered to a temporary file" not in (four.folder / "errors.log").read_text()


async def test_the_same_large_body_goes_to_the_same_replica(program: Path) -> None:
    with balanced(program, Balance(Policy.HASH)) as nginx:
        async with aiohttp.ClientSession() as http:
            ports = set()
            for _ in range(12):
                async with http.post(f"{nginx.model}/inference", data=b"x" * 200_000) as answer:
                    ports.add((await answer.json())["port"])
        assert len(ports) == 1


async def test_a_replica_that_takes_no_connection_is_not_waited_for(program: Path, black_hole: str) -> None:
    with balanced(
        program, Balance(Policy.ROUND_ROBIN), names=("one",), elsewhere={"hole": black_hole}
    ) as nginx:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            for _ in range(2):  # in turns: one of them meets it
                async with http.post(f"{nginx.gateway}/api/v1/jobs", json={}) as answer:
                    assert answer.status == 200
        await eventually(lambda: black_hole in nginx.log.read_text())


async def test_a_replica_that_hangs_is_given_up_and_no_job_is_sent_again(program: Path) -> None:
    soon = {"proxy_read_timeout 600s": "proxy_read_timeout 1s"}
    with balanced(program, Balance(), dict.fromkeys(NAMES, 60.0), instead=soon) as nginx:
        timeout, url = aiohttp.ClientTimeout(total=PATIENCE), f"{nginx.gateway}/api/v1/jobs"
        async with aiohttp.ClientSession(timeout=timeout) as http, http.post(url, json={}) as answer:
            assert answer.status == 504
            assert (await answer.json())["error"]["code"] == "UPSTREAM_TIMEOUT"
        assert nginx.received().total() == 1


async def test_old_workers_do_not_outlive_a_stream_that_never_ends(program: Path) -> None:
    soon = {"worker_shutdown_timeout 120s": "worker_shutdown_timeout 1s"}
    with balanced(program, Balance(), dict.fromkeys(NAMES, 600.0), instead=soon) as nginx:
        old = psutil.Process(nginx.process.pid).children()
        async with aiohttp.ClientSession() as http:
            endless = asyncio.create_task(http.post(f"{nginx.gateway}/api/v1/jobs", json={}))
            await eventually(lambda: nginx.received().total() == 1)
            nginx.reload(Balance(Policy.ROUND_ROBIN))
            await eventually(lambda: not any(each.is_running() for each in old), within=PATIENCE)
            with pytest.raises(aiohttp.ClientError):
                await endless


async def test_a_client_that_sends_nothing_more_is_given_up(program: Path) -> None:
    soon = {
        "client_header_timeout 15s": "client_header_timeout 1s",
        "client_body_timeout 30s": "client_body_timeout 1s",
    }
    begun = ["GET / HTTP/1.1\r\nHost: x\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"]
    with balanced(program, Balance(), names=("one",), instead=soon) as nginx:
        port = int(nginx.gateway.rpartition(":")[2])
        await asyncio.wait_for(asyncio.gather(*(until_closed(port, each) for each in begun)), PATIENCE)
        assert not nginx.received()


async def until_closed(port: int, begun: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun.encode())
    with suppress(ConnectionResetError):
        await reader.read()
    writer.close()
