"""The gateway between real sockets: pooled connections, ids that travel, clients that leave."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import httpx
import pytest
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response

from prodigon_lib.core.errors import UpstreamTimeout
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url
from prodigon_lib.transport.connections.pool import Pool
from tests.integration.gateway.conftest import client_of, error_of, settings_for
from tests.integration.gateway.fakes import TOKENS
from tests.integration.gateway.upstream import Upstream
from tests.integration.serving import serving
from tests.polling import eventually

GENERATE = "/api/v1/generate"
STREAM = "/api/v1/generate/stream"
HELLO = {"prompt": "Hello"}
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
async def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def upstream_url(upstream: Upstream) -> AsyncIterator[str]:
    async with serving(upstream.app()) as url:
        yield url


@pytest.fixture
async def http(upstream_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(model_service_url=upstream_url, worker_service_url=upstream_url)
    async with serving(create_app(settings)) as url, client_of(url) as client:
        yield client


async def test_no_client_is_built_per_request(http: httpx.AsyncClient, upstream: Upstream) -> None:
    message = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    with patch.object(Pool, "__init__", side_effect=AssertionError("a pool was made")):
        for _ in range(5):
            assert (await http.post(GENERATE, json=HELLO)).status_code == 200
            assert b"[DONE]" in (await http.post(STREAM, json=HELLO)).content
            assert (await http.post("/v1/chat/completions", json=message)).status_code == 200
            streamed = await http.post("/v1/chat/completions", json={**message, "stream": True})
            assert b"[DONE]" in streamed.content
            assert (await http.get("/v1/models")).status_code == 200
    assert len(upstream.headers) == 25
    assert len(upstream.connections) == 1


async def test_as_many_connections_as_calls_at_once(http: httpx.AsyncClient, upstream: Upstream) -> None:
    for _ in range(3):
        upstream.hold = asyncio.Event()
        calls = [asyncio.create_task(http.post(GENERATE, json=HELLO)) for _ in range(8)]
        await eventually(lambda: upstream.running == 8)
        upstream.hold.set()
        assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}
    assert len(upstream.connections) == 8


async def test_the_request_id_travels(http: httpx.AsyncClient, upstream: Upstream) -> None:
    for path in (GENERATE, STREAM):
        answer = await http.post(path, json=HELLO, headers={"X-Request-ID": "from-the-caller"})
        assert answer.headers["X-Request-ID"] == "from-the-caller"
    made = await http.post(GENERATE, json=HELLO)
    sent = [headers["x-request-id"] for headers in upstream.headers]
    assert sent == ["from-the-caller", "from-the-caller", made.headers["X-Request-ID"]]


@pytest.mark.parametrize("path", [GENERATE, STREAM])
async def test_a_proxy_that_packs_answers_is_not_asked_to(upstream: Upstream, path: str) -> None:
    """The gateway passes bytes on and unpacks none."""
    async with (
        serving(GZipMiddleware(upstream.app(), minimum_size=1)) as upstream_url,
        serving(create_app(settings_for(model_service_url=upstream_url))) as url,
        client_of(url) as http,
    ):
        answer = await http.post(path, json=HELLO)
    assert answer.content.startswith(b"{" if path == GENERATE else b"data: ")


TRACE = "0af7651916cd43dd8448eb211c80319c"


async def test_a_trace_is_joined_without_an_exporter(http: httpx.AsyncClient, upstream: Upstream) -> None:
    await http.post(GENERATE, json=HELLO, headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    assert upstream.headers[0]["traceparent"].split("-")[1] == TRACE


async def test_spans_join_the_callers_trace(upstream: Upstream, upstream_url: str, tmp_path: Path) -> None:
    settings = settings_for(model_service_url=upstream_url, trace_file=str(tmp_path / "spans.jsonl"))
    async with serving(create_app(settings)) as url, client_of(url) as http:
        await http.post(STREAM, json=HELLO, headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    spans = {
        span["name"]: span for span in map(json.loads, (tmp_path / "spans.jsonl").read_text().splitlines())
    }
    served, called = spans[f"POST {STREAM}"], spans["call model"]
    assert served["trace_id"] == called["trace_id"] == TRACE
    assert (served["parent_id"], called["parent_id"]) == ("b7ad6b7169203331", served["span_id"])
    assert upstream.headers[0]["traceparent"].split("-")[1:3] == [TRACE, called["span_id"]]


@pytest.mark.parametrize("path", [GENERATE, STREAM])
async def test_a_client_that_leaves_ends_the_call(
    path: str, http: httpx.AsyncClient, upstream: Upstream
) -> None:
    upstream.hold = asyncio.Event()
    call = asyncio.create_task(read_all(http, path))
    await eventually(lambda: upstream.running == 1)
    call.cancel()
    await eventually(lambda: upstream.left == 1 and upstream.running == 0, within=1)


async def read_all(http: httpx.AsyncClient, path: str) -> bytes:
    async with http.stream("POST", path, json=HELLO) as answer:
        return await answer.aread()


async def test_many_clients_that_leave_leave_nothing(http: httpx.AsyncClient, upstream: Upstream) -> None:
    upstream.hold = asyncio.Event()
    calls = [asyncio.create_task(read_all(http, STREAM)) for _ in range(40)]
    await eventually(lambda: upstream.running == 40)
    for call in calls:
        call.cancel()
    await eventually(lambda: upstream.left == 40 and upstream.running == 0, within=5)
    await eventually(lambda: in_flight(http), within=5)


async def in_flight(http: httpx.AsyncClient) -> bool:
    lines = (await http.get("/metrics")).text.splitlines()
    (value,) = [line.split()[-1] for line in lines if line.startswith("prodigon_http_requests_in_flight{")]
    return float(value) == 1  # the one that asks


async def test_a_stream_that_breaks_ends_with_an_error_event(
    http: httpx.AsyncClient, upstream: Upstream
) -> None:
    upstream.cut = True
    answer = await http.post(STREAM, json=HELLO)
    assert answer.status_code == 200
    assert answer.text.startswith(f'data: "{TOKENS[0]}"\n\nevent: error\ndata: ')
    assert '"code":"UPSTREAM_ERROR"' in answer.text
    assert "[DONE]" not in answer.text


def envelope(code: str, message: str, status: int, **headers: str) -> Response:
    body = {"error": {"code": code, "message": message, "request_id": "theirs"}}
    return JSONResponse(body, status, headers=headers)


ANSWERS = [
    (envelope("RATE_LIMITED", "slow down", 429, **{"Retry-After": "3"}), 429, "RATE_LIMITED"),
    (envelope("VALIDATION_ERROR", "model: unknown", 422), 422, "VALIDATION_ERROR"),
    (envelope("MODEL_NOT_FOUND", "no such model", 404), 404, "MODEL_NOT_FOUND"),
    (envelope("UPSTREAM_TIMEOUT", "the provider is slow", 504), 504, "UPSTREAM_TIMEOUT"),
    (envelope("INTERNAL_ERROR", "a fault", 500), 502, "UPSTREAM_ERROR"),
    (envelope("NOT_FOUND", "nothing at this path", 404), 502, "UPSTREAM_ERROR"),
    (PlainTextResponse("Traceback: secret", 500), 502, "UPSTREAM_ERROR"),
    (PlainTextResponse("<html>secret</html>", 404), 502, "UPSTREAM_ERROR"),
    (PlainTextResponse("secret", 503), 503, "SERVICE_UNAVAILABLE"),
]


@pytest.mark.parametrize(("said", "status", "code"), ANSWERS, ids=range(len(ANSWERS)))
async def test_what_a_service_answers(
    said: Response, status: int, code: str, http: httpx.AsyncClient, upstream: Upstream
) -> None:
    upstream.answer = said
    for path in (GENERATE, STREAM):
        answer = await http.post(path, json=HELLO)
        assert (answer.status_code, error_of(answer)["code"]) == (status, code)
        assert "secret" not in answer.text
        assert answer.headers.get("Retry-After") == said.headers.get("Retry-After")
    if status != 422:
        job = await http.get(f"/api/v1/jobs/{uuid4()}")
        assert (job.status_code, error_of(job)["code"]) == (status, code)


EVERYTHING = [
    ("post", GENERATE, HELLO),
    ("post", STREAM, HELLO),
    ("get", "/v1/models", None),
    ("post", "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}]}),
    ("get", "/api/v1/jobs", None),
    ("post", "/api/v1/jobs", {"prompts": ["x"]}),
    ("get", f"/api/v1/jobs/{uuid4()}/events", None),
    ("get", "/api/v1/chat/sessions", None),
    ("post", "/api/v1/chat/sessions", {}),
    ("post", f"/api/v1/chat/sessions/{uuid4()}/stream", {"content": "x"}),
]


@pytest.mark.parametrize(
    "url", [None, "postgresql://u:hunter2@127.0.0.1:9/x", "postgresql:///x?host=/nowhere"]
)
async def test_everything_away_is_503(url: str | None) -> None:
    database = parse_database_url(url) if url else None
    app = create_app(settings_for(database, model_service_url=NOWHERE, worker_service_url=NOWHERE))
    async with serving(app) as base, client_of(base) as http:
        for method, path, body in EVERYTHING:
            answer = await http.request(method, path, json=body)
            assert answer.status_code == 503, path
            assert "hunter2" not in answer.text
        ready = await http.get("/health/ready")
        assert set(ready.json()["failing"]) == {"model", "worker", "database"}


async def test_a_database_without_tables_says_what_to_do(empty_database: DatabaseUrl) -> None:
    app = create_app(settings_for(empty_database, model_service_url=NOWHERE, worker_service_url=NOWHERE))
    async with serving(app) as base, client_of(base) as http:
        answer = await http.get("/api/v1/chat/sessions")
    assert (answer.status_code, error_of(answer)["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "prodigon db upgrade" in error_of(answer)["message"]


async def test_what_never_answers_is_504(upstream: Upstream) -> None:
    upstream.hold = asyncio.Event()
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, says nothing
    nowhere = f"http://127.0.0.1:{silent.getsockname()[1]}"
    dsn = parse_database_url(f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/x")
    settings = settings_for(
        dsn,
        model_service_url=nowhere,
        worker_service_url=nowhere,
        generate_seconds=0.3,
        jobs_seconds=0.3,
        database_seconds=0.3,
    )
    async with serving(create_app(settings)) as base, client_of(base) as http:
        for method, path, body in EVERYTHING:
            async with asyncio.timeout(4):
                answer = await http.request(method, path, json=body)
            assert answer.status_code == 504, path
            assert answer.json()["error"]["code"].upper() == UpstreamTimeout.default_code
    silent.close()


async def test_what_trickles_is_504_too() -> None:
    """Each byte comes in time; the answer never does."""
    stop = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not stop.is_set():
                writer.write(b" ")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.05)
        writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = settings_for(model_service_url=f"http://127.0.0.1:{port}", generate_seconds=0.4)
    async with server, serving(create_app(settings)) as base, client_of(base) as http:
        async with asyncio.timeout(5):
            answer = await http.post(GENERATE, json=HELLO)
        stop.set()
    assert (answer.status_code, error_of(answer)["code"]) == (504, "UPSTREAM_TIMEOUT")


async def test_a_stream_that_falls_silent_ends_with_an_error_event(
    upstream: Upstream, upstream_url: str
) -> None:
    upstream.hold = asyncio.Event()
    settings = settings_for(model_service_url=upstream_url, stream_idle_seconds=0.3)
    async with serving(create_app(settings)) as base, client_of(base) as http:
        answer = await http.post(STREAM, json=HELLO)
    assert answer.status_code == 200
    assert "event: error" in answer.text
    assert "UPSTREAM_TIMEOUT" in answer.text
    await eventually(lambda: upstream.left == 1)


async def test_a_refused_connection_tries_the_next_address(upstream: Upstream, upstream_url: str) -> None:
    settings = settings_for(model_service_url=f"{NOWHERE},{upstream_url}")
    async with serving(create_app(settings)) as base, client_of(base) as http:
        answers = [(await http.post(GENERATE, json=HELLO)).status_code for _ in range(4)]
    assert answers == [200] * 4


async def test_a_service_that_comes_back_is_used_again(upstream: Upstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    app = create_app(settings_for(model_service_url=f"http://127.0.0.1:{port}"))
    async with serving(app) as base, client_of(base) as http:
        assert (await http.post(GENERATE, json=HELLO)).status_code == 503
        for _ in range(2):
            async with serving(upstream.app(), port=port):
                assert (await http.post(GENERATE, json=HELLO)).status_code == 200
            assert (await http.post(GENERATE, json=HELLO)).status_code == 503
