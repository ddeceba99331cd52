"""What holds on every path: the envelope, the request id, the limits of a body, CORS, the documents."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from prodigon_lib.gateway.app import create_app
from tests.integration.gateway.conftest import error_of, settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.serving import serving

MEGABYTE = 1024 * 1024
JSON = {"Content-Type": "application/json"}

POSTS = [
    "/api/v1/generate",
    "/api/v1/generate/stream",
    "/api/v1/chat/sessions",
    f"/api/v1/chat/sessions/{uuid4()}/messages",
    f"/api/v1/chat/sessions/{uuid4()}/stream",
    "/api/v1/jobs",
    "/v1/chat/completions",
    "/openai/v1/chat/completions",
]
OPENAI = ("/v1/", "/openai/v1/")


def code_of(answer: httpx.Response) -> str:
    """The error's code, after a look that the body has the shape that the path's clients expect."""
    if not answer.request.url.path.startswith(OPENAI):
        return error_of(answer)["code"]
    assert list(answer.json()) == ["error"]
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error["code"].upper()


MALFORMED = [b"{", b"{'a': 1}", b'{"prompt": "\xff"}', b"nonsense", b"[" * 50_000]


@pytest.mark.parametrize("path", POSTS)
async def test_malformed_json_is_400(path: str, direct: httpx.AsyncClient) -> None:
    for body in MALFORMED:
        answer = await direct.post(path, content=body, headers=JSON)
        assert answer.status_code == 400
        assert code_of(answer) in ("MALFORMED_JSON", "BAD_REQUEST")


@pytest.mark.parametrize("path", POSTS)
async def test_json_of_another_kind_is_422(path: str, direct: httpx.AsyncClient) -> None:
    for body in (b"[]", b'"text"', b"5"):
        assert (await direct.post(path, content=body, headers=JSON)).status_code == 422


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_must_be_announced_as_json(
    path: str, direct: httpx.AsyncClient, model: FakeModel, jobs: FakeJobs
) -> None:
    body = json.dumps({"prompt": "x", "prompts": ["x"], "content": "x", "role": "user", "title": "x"})
    for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = await direct.post(path, content=body.encode(), headers=kind)
        assert answer.status_code == 422
        assert "Content-Type" in answer.json()["error"]["message"]
        assert (await direct.post(path, content=b"{", headers=kind)).status_code == 400
    assert (model.asked, jobs.jobs) == ([], {})


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_over_8_megabytes_is_413(path: str, served: httpx.AsyncClient) -> None:
    body = json.dumps({"prompt": "x" * 8 * MEGABYTE}).encode()

    async def in_pieces() -> Any:  # without a Content-Length
        for start in range(0, len(body), MEGABYTE):
            yield body[start : start + MEGABYTE]

    for content in (body, in_pieces()):
        answer = await served.post(path, content=content, headers=JSON)
        assert (answer.status_code, code_of(answer)) == (413, "PAYLOAD_TOO_LARGE")


async def test_an_announced_length_is_enough(served: httpx.AsyncClient) -> None:
    """The body is refused before it is sent."""
    reader, writer = await asyncio.open_connection(served.base_url.host, served.base_url.port)
    writer.write(
        b"POST /api/v1/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 8388609\r\n\r\n"
    )
    async with asyncio.timeout(5):
        line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert line.startswith(b"HTTP/1.1 413 ")


async def test_a_body_just_below_is_read(direct: httpx.AsyncClient, model: FakeModel) -> None:
    body = b'{"prompt": "x"' + b" " * (8 * MEGABYTE - 15) + b"}"
    assert len(body) == 8 * MEGABYTE
    assert (await direct.post("/api/v1/generate", content=body, headers=JSON)).status_code == 200
    assert (await direct.post("/api/v1/generate", content=body + b" ", headers=JSON)).status_code == 413


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api/v1/generate/", "/api/v1/nothing", "/v1/nothing", "/redoc"]
)
async def test_an_unknown_path_is_404(path: str, direct: httpx.AsyncClient) -> None:
    answer = await direct.get(path)
    assert (answer.status_code, code_of(answer)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", POSTS)
async def test_a_wrong_method_is_405(path: str, direct: httpx.AsyncClient) -> None:
    answer = await direct.put(path, json={})
    assert (answer.status_code, code_of(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["Allow"]


async def test_a_fault_of_ours_says_nothing_of_itself(direct: httpx.AsyncClient, model: FakeModel) -> None:
    model.fault = ZeroDivisionError("SELECT secret FROM table")  # type: ignore[assignment]
    for path in ("/api/v1/generate", "/api/v1/generate/stream", "/v1/chat/completions"):
        body = {"prompt": "x"} if path.startswith("/api") else {"model": "m", "messages": [USER]}
        answer = await direct.post(path, json=body)
        assert (answer.status_code, code_of(answer)) == (500, "INTERNAL_ERROR")
        assert "secret" not in answer.text
        assert "ZeroDivision" not in answer.text


USER = {"role": "user", "content": "x"}

REQUEST_IDS = [
    ("abc-123", True),
    ("x" * 128, True),
    ("x" * 129, False),
    ("a\tb", False),
    ("é", False),
    ("", False),
]


@pytest.mark.parametrize(("given", "kept"), REQUEST_IDS)
async def test_a_request_id_is_kept_or_made(given: str, kept: bool, direct: httpx.AsyncClient) -> None:
    answer = await direct.get("/nothing", headers=[(b"X-Request-ID", given.encode("latin-1"))])
    returned = answer.headers["X-Request-ID"]
    assert (returned == given) is kept
    assert returned
    assert error_of(answer)["request_id"] == returned


async def test_every_answer_has_its_time_in_milliseconds(direct: httpx.AsyncClient) -> None:
    for path in ("/health", "/nothing", "/v1/models", "/docs"):
        answer = await direct.get(path)
        assert 0 <= float(answer.headers["X-Process-Time"]) < 10_000
        assert answer.headers["X-Request-ID"]


ORIGIN = {"Origin": "http://localhost:3000"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


async def test_no_origin_is_allowed_by_default(direct: httpx.AsyncClient) -> None:
    answer = await direct.options("/api/v1/generate", headers=PREFLIGHT)
    assert answer.status_code == 405
    answer = await direct.post("/api/v1/generate", json={"prompt": "x"}, headers=ORIGIN)
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_an_allowed_origin_may_call_and_read() -> None:
    settings = settings_for(allowed_origins="http://localhost:3000, https://example.org/")
    app = create_app(settings, model=FakeModel(), jobs=FakeJobs())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.options("/api/v1/generate", headers=PREFLIGHT)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
        for body in ({"prompt": "x"}, {}, {"prompt": "x" * 9 * MEGABYTE}):  # errors can be read too
            answer = await client.post("/api/v1/generate", json=body, headers=ORIGIN)
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
            assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
        other = await client.options(
            "/api/v1/generate", headers={**PREFLIGHT, "Origin": "http://evil.example"}
        )
        assert other.status_code == 400
        assert "Access-Control-Allow-Origin" not in other.headers


async def test_health(direct: httpx.AsyncClient) -> None:
    for path in ("/health", "/health/live"):
        answer = await direct.get(path)
        assert answer.status_code == 200
        about = answer.json()
        assert (about["status"], about["service"], about["environment"]) == (
            "healthy",
            "gateway",
            "development",
        )
        assert about["version"]


async def test_ready_names_what_is_away() -> None:
    nowhere = {"model_service_url": "http://127.0.0.1:9", "worker_service_url": "http://127.0.0.1:9"}
    async with serving(create_app(settings_for(**nowhere))) as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["failing"] == {
            "model": "the model service is away",
            "worker": "the worker service is away",
            "database": "the database is away: DATABASE_URL is not set",
        }


async def test_ready(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()["failing"]) == (200, {})


async def test_metrics_count_by_route(http: httpx.AsyncClient) -> None:
    await http.post("/api/v1/generate", json={"prompt": "x"})
    await http.get(f"/api/v1/chat/sessions/{uuid4()}")
    text = (await http.get("/metrics")).text
    assert 'route="/api/v1/generate",service="gateway",status="200"} 1.0' in text
    assert 'route="/api/v1/chat/sessions/{session_id}",service="gateway",status="404"} 1.0' in text


async def test_the_docs_need_no_network(direct: httpx.AsyncClient) -> None:
    page = (await direct.get("/docs")).text
    assert "https://" not in page
    for kind, path in (("javascript", "swagger/swagger-ui-bundle.js"), ("css", "swagger/swagger-ui.css")):
        assert f'"/docs/assets/{path}"' in page
        asset = await direct.get(f"/docs/assets/{path}")
        assert asset.status_code == 200
        assert kind in asset.headers["content-type"]
        assert len(asset.content) > 50_000


async def test_the_document_names_every_endpoint(direct: httpx.AsyncClient) -> None:
    paths = (await direct.get("/openapi.json")).json()["paths"]
    named = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert named == set(ENDPOINTS.split("\n"))


ENDPOINTS = """\
GET /health
GET /health/live
GET /health/ready
GET /metrics
POST /api/v1/generate
POST /api/v1/generate/stream
POST /api/v1/chat/sessions
GET /api/v1/chat/sessions
GET /api/v1/chat/sessions/{session_id}
PATCH /api/v1/chat/sessions/{session_id}
DELETE /api/v1/chat/sessions/{session_id}
POST /api/v1/chat/sessions/{session_id}/messages
DELETE /api/v1/chat/sessions/{session_id}/messages/{message_id}
POST /api/v1/chat/sessions/{session_id}/stream
POST /api/v1/jobs
GET /api/v1/jobs
GET /api/v1/jobs/{job_id}
POST /api/v1/jobs/{job_id}/cancel
POST /api/v1/jobs/{job_id}/retry
GET /api/v1/jobs/{job_id}/events
GET /v1/models
GET /v1/models/{model_id}
POST /v1/chat/completions
GET /openai/v1/models
GET /openai/v1/models/{model_id}
POST /openai/v1/chat/completions"""
