"""What every service does with every request, whatever its routes are."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request

from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.errors import RateLimited, UpstreamTimeout
from prodigon_lib.core.http.application import Service
from prodigon_lib.core.http.middleware import RequestMiddleware
from prodigon_lib.core.http.streams import EventStream
from prodigon_lib.core.schemas.generate import GenerateRequest
from prodigon_lib.core.settings import Settings


@asynccontextmanager
async def nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


async def fails() -> None:
    raise OSError("no route")


async def hangs() -> None:
    await asyncio.Event().wait()


def make_app(
    trace_file: Path | None = None,
    request_log_share: float = 1.0,
    turn_seconds: float = 5.0,
    **checks: Callable[[], Awaitable[None]],
) -> FastAPI:
    settings = Settings(
        _env_file=None,
        max_body_bytes=1024,
        trace_file=str(trace_file) if trace_file else None,
        request_log_share=request_log_share,
        turn_seconds=turn_seconds,
    )
    service = Service("demo", settings)
    app = service.application(title="demo", description="", lifespan=nothing, checks=checks)

    @app.post("/things/{thing}")
    async def thing(thing: UUID, request: GenerateRequest) -> dict[str, str]:
        return {"id": request_id_or()}

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("the password is hush")

    @app.get("/limited")
    async def limited() -> None:
        raise RateLimited("slow down", retry_after=3.2)

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @app.get("/stream/{good}")
    async def stream(good: int) -> EventStream:
        return EventStream(pieces(good))

    return app


async def pieces(good: int) -> AsyncGenerator[bytes]:
    for _ in range(good):
        yield b'data: "a"\n\n'
    raise UpstreamTimeout("too slow")


def client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


THING = "/things/00000000-0000-4000-8000-000000000001"
CASES = [
    ("GET", "/nothing", None, 404, "NOT_FOUND"),
    ("GET", THING, None, 405, "METHOD_NOT_ALLOWED"),
    ("POST", THING, b'{"prompt": ', 400, "MALFORMED_JSON"),
    ("POST", THING, b'{"prompt": "\\ud800"}', 422, "VALIDATION_ERROR"),
    ("POST", THING, b"{}", 422, "VALIDATION_ERROR"),
    ("POST", THING, b'{"prompt": "a\\u0000"}', 422, "VALIDATION_ERROR"),
    ("POST", "/things/7", b'{"prompt": "a"}', 400, "INVALID_ID"),
    ("POST", "/raw", b"x" * 1025, 413, "PAYLOAD_TOO_LARGE"),
    ("GET", "/crash", None, 500, "INTERNAL_ERROR"),
    ("GET", "/limited", None, 429, "RATE_LIMITED"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), CASES)
async def test_every_fault_has_the_envelope(
    method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    async with client(make_app()) as http:
        answer = await http.request(method, path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]
    assert "hush" not in answer.text
    assert float(answer.headers["x-process-time"]) >= 0


async def test_a_validation_fault_names_its_field() -> None:
    async with client(make_app()) as http:
        answer = await http.post(THING, json={"prompt": "a", "max_tokens": 0, "temperature": 3})
    message = answer.json()["error"]["message"]
    assert "max_tokens" in message
    assert "temperature" in message


async def test_a_limit_says_when_to_come_back() -> None:
    async with client(make_app()) as http:
        assert (await http.get("/limited")).headers["retry-after"] == "4"


async def test_a_body_without_announced_length_is_limited_too() -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    async with client(make_app()) as http:
        assert (await http.post("/raw", content=chunks())).status_code == 413
        assert (await http.post("/raw", content=b"x" * 1024)).json() == 1024


async def test_a_request_id_is_kept() -> None:
    async with client(make_app()) as http:
        answer = await http.post(THING, json={"prompt": "a"}, headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == answer.json()["id"] == "mine-1"


@pytest.mark.parametrize("hostile", ["x" * 129, "a\tb", "é".encode("latin-1").decode("latin-1")])
async def test_a_hostile_request_id_is_replaced(hostile: str) -> None:
    async with client(make_app()) as http:
        answer = await http.get("/limited", headers={"x-request-id": hostile.encode("latin-1")})
    assert answer.headers["x-request-id"] != hostile
    assert answer.headers["x-request-id"].isalnum()


async def test_health_is_about_the_process_and_ready_about_the_rest() -> None:
    async with client(make_app(database=fails)) as http:
        assert (await http.get("/health")).json()["service"] == "demo"
        assert (await http.get("/health/live")).status_code == 200
        ready = await http.get("/health/ready")
    assert ready.status_code == 503
    assert list(ready.json()["failing"]) == ["database"]


async def test_a_check_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodigon_lib.core.http.application.CHECK_SECONDS", 0.01)
    async with client(make_app(model=hangs)) as http:
        assert (await http.get("/health/ready")).json()["failing"] == {"model": "no answer in time"}


async def test_metrics_count_routes_and_not_paths() -> None:
    async with client(make_app()) as http:
        await http.post(THING, json={"prompt": "a"})
        await http.get("/nothing/1")
        await http.get("/nothing/2")
        text = (await http.get("/metrics")).text
    assert 'route="/things/{thing}",service="demo",status="200"} 1.0' in text
    assert 'route="unmatched",service="demo",status="404"} 2.0' in text
    assert "/nothing" not in text


async def test_of_many_at_once_the_first_are_answered_while_the_last_wait() -> None:
    """And a probe is answered before most of them."""
    app, words = make_app(turn_seconds=120), []

    @app.get("/slow")
    async def slow() -> None:
        words.append("begin")
        for _ in range(5):
            await asyncio.sleep(0)
        words.append("end")

    async def probe() -> None:
        assert (await http.get("/health/live")).status_code == 200
        words.append("probe")

    async with client(app) as http:
        answers = await asyncio.gather(*(http.get("/slow") for _ in range(500)), probe())
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert "end" in words[:250]
    assert "probe" in words[:250]


async def test_what_waits_for_its_turn_too_long_is_told_when_to_come_back() -> None:
    app = make_app(turn_seconds=0.05)

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(0)
        time.sleep(0.01)  # noqa: ASYNC251  what it costs

    async with client(app) as http:
        answers = await asyncio.gather(*(http.get("/slow") for _ in range(300)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 50 < len(refused) < 250
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert {answer.status_code for answer in answers} == {200, 429}


async def test_a_fault_before_the_first_piece_is_a_status() -> None:
    async with client(make_app()) as http:
        answer = await http.get("/stream/0")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "UPSTREAM_TIMEOUT")


async def test_a_fault_after_it_is_an_event_and_no_end() -> None:
    async with client(make_app()) as http:
        answer = await http.get("/stream/2")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.text.count('data: "a"') == 2
    assert "event: error\ndata: {" in answer.text
    assert "[DONE]" not in answer.text


async def test_one_log_line_a_request_with_its_id(capfd: pytest.CaptureFixture[str]) -> None:
    async with client(make_app()) as http:
        await http.post(THING, json={"prompt": "a"}, headers={"x-request-id": "mine-2"})
        await http.get("/health")
        await http.get("/crash", headers={"x-request-id": "mine-3"})
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (ours,) = [line for line in lines if line.get("request_id") == "mine-2"]
    assert (ours["service"], ours["event"], ours["status"]) == ("demo", "request", 200)
    (crash,) = [line for line in lines if line.get("exception")]
    assert crash["request_id"] == "mine-3"
    assert "RuntimeError" in crash["exception"]
    assert not [line for line in lines if line.get("path") == "/health"]


async def test_a_share_of_the_requests_is_logged_and_every_fault(capfd: pytest.CaptureFixture[str]) -> None:
    async with client(make_app(request_log_share=0.5)) as http:
        for _ in range(200):
            await http.get("/limited")
        await http.get("/crash")
    said = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    statuses = [line["status"] for line in said if line["event"] == "request"]
    assert 50 < statuses.count(429) < 150
    assert statuses.count(500) == 1


def test_nothing_stands_before_the_services_own_layer() -> None:
    assert isinstance(make_app().build_middleware_stack(), RequestMiddleware)


async def test_a_span_joins_the_callers_trace(tmp_path: Path) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    app = make_app(tmp_path / "spans.jsonl")
    async with client(app) as http:
        await http.get(
            "/limited", headers={"traceparent": f"00-{trace}-{parent}-01", "x-request-id": "mine-4"}
        )
        await http.get("/crash")
    app.state.service.telemetry.shutdown()
    spans: list[dict[str, Any]] = [
        json.loads(line) for line in (tmp_path / "spans.jsonl").read_text().splitlines()
    ]
    (joined,) = [span for span in spans if span["attributes"]["request_id"] == "mine-4"]
    assert (joined["trace_id"], joined["parent_id"]) == (trace, parent)
    assert joined["end_ns"] > joined["start_ns"]
    assert [span["status"] for span in spans if span["name"] == "GET /crash"] == ["ERROR"]
