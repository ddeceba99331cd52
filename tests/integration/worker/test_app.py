"""The worker's HTTP face, as bytes on the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis.asyncio import Redis

from prodigon_lib.core.errors import UpstreamRejected
from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.app import create_app
from prodigon_lib.worker.settings import QueueType, WorkerSettings
from tests.integration.redis_server import RedisServer
from tests.integration.serving import serving
from tests.integration.worker.fake_model import FakeModel, model_service
from tests.polling import eventually


@asynccontextmanager
async def worker(database: DatabaseUrl, model: FakeModel, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(model_service(model)) as model_url:
        settings = WorkerSettings(database_url=database.dsn, model_service_url=model_url, **changes)
        async with serving(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as client:
            yield client


@pytest.fixture
async def client(database: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    async with worker(database, FakeModel()) as client:
        yield client


async def done(client: httpx.AsyncClient, job: str) -> dict[str, Any]:
    async def ended() -> dict[str, Any] | None:
        view = (await client.get(f"/jobs/{job}")).json()
        return view if view["completed_at"] else None

    found: dict[str, Any] = await eventually(ended)
    return found


async def test_submit_and_get(client: httpx.AsyncClient) -> None:
    answer = await client.post("/jobs", json={"prompts": ["a", "b"]})
    assert answer.status_code == 202
    job = answer.json()
    assert set(job) == {
        *("job_id", "status", "created_at", "completed_at", "total_prompts", "completed_prompts"),
        *("results", "errors", "error"),
    }
    view = await done(client, job["job_id"])
    assert (view["status"], view["results"]) == ("completed", ["answer to a", "answer to b"])
    listed = (await client.get("/jobs", params={"status": "completed"})).json()
    assert listed == {"jobs": [view], "next_cursor": None}


async def test_who_asks(client: httpx.AsyncClient) -> None:
    job = (await client.post("/jobs", json={"prompts": ["a"]})).json()["job_id"]
    default = await client.get(f"/jobs/{job}", headers={"X-User-ID": str(DEFAULT_USER_ID)})
    stranger = await client.get(f"/jobs/{job}", headers={"X-User-ID": str(uuid4())})
    assert (default.status_code, stranger.status_code) == (200, 404)
    unknown = await client.post("/jobs", json={"prompts": ["a"]}, headers={"X-User-ID": str(uuid4())})
    assert (unknown.status_code, "X-User-ID" in unknown.json()["error"]["message"]) == (422, True)


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("POST", "/jobs", {"json": {"prompts": []}}, 422, "VALIDATION_ERROR"),
        ("POST", "/jobs", {"json": {"prompts": ["x"] * 101}}, 422, "VALIDATION_ERROR"),
        ("POST", "/jobs", {"json": {"prompts": ["a\u0000b"]}}, 422, "VALIDATION_ERROR"),
        (
            "POST",
            "/jobs",
            {"content": b'{"prompts": ["\\ud800"]}', "headers": {"Content-Type": "application/json"}},
            422,
            "VALIDATION_ERROR",
        ),
        (
            "POST",
            "/jobs",
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
            400,
            "MALFORMED_JSON",
        ),
        ("POST", "/jobs", {"json": {"prompts": ["a"]}, "headers": {"X-User-ID": "me"}}, 422, None),
        (
            "POST",
            "/jobs",
            {"json": {"prompts": ["a"]}, "headers": {"Idempotency-Key": "k" * 201}},
            422,
            None,
        ),
        ("GET", "/jobs/none", {}, 400, "INVALID_ID"),
        ("GET", f"/jobs/{uuid4()}", {}, 404, "JOB_NOT_FOUND"),
        ("GET", f"/jobs/{uuid4()}/events", {}, 404, "JOB_NOT_FOUND"),
        ("POST", f"/jobs/{uuid4()}/cancel", {}, 404, "JOB_NOT_FOUND"),
        ("POST", f"/jobs/{uuid4()}/retry", {}, 404, "JOB_NOT_FOUND"),
        ("GET", "/jobs?cursor=x", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?cursor=a%00b", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?limit=0", {}, 422, "VALIDATION_ERROR"),
        ("GET", "/jobs?status=lost", {}, 422, "VALIDATION_ERROR"),
        ("DELETE", "/jobs", {}, 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_bad_requests(
    client: httpx.AsyncClient, method: str, path: str, options: Any, status: int, code: str | None
) -> None:
    answer = await client.request(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == (code or "VALIDATION_ERROR")


async def test_events_are_server_sent(client: httpx.AsyncClient) -> None:
    job = (await client.post("/jobs", json={"prompts": ["a"]})).json()["job_id"]
    answer = await client.get(f"/jobs/{job}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
    events = answer.text.strip().split("\n\n")
    assert events[0].startswith("event: job\ndata: {")
    assert '"completed"' in events[-2]
    assert events[-1] == "data: [DONE]"


async def test_a_silent_job_keeps_its_stream_alive(
    database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prodigon_lib.worker.events.job_events.__defaults__", (0.1,))
    model = FakeModel()
    model.gate.clear()
    async with worker(database, model) as client:
        job = (await client.post("/jobs", json={"prompts": ["a"]})).json()["job_id"]
        async with client.stream("GET", f"/jobs/{job}/events") as answer:
            lines = [line async for line in until(answer.aiter_lines(), ": the job goes on", model)]
    assert lines[-2:] == ["data: [DONE]", ""]


async def until(lines: AsyncIterator[str], wanted: str, model: FakeModel) -> AsyncIterator[str]:
    """All lines; the model answers once `wanted` was among them."""
    async for line in lines:
        if line == wanted:
            model.gate.set()
        yield line


async def test_the_trace_and_the_request_id_reach_the_model(database: DatabaseUrl) -> None:
    model = FakeModel()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"X-Request-ID": "tour-1", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    async with worker(database, model) as client:
        job = (await client.post("/jobs", json={"prompts": ["a"]}, headers=headers)).json()["job_id"]
        await done(client, job)
    assert model.headers[0]["x-request-id"] == "tour-1"
    assert model.headers[0]["traceparent"].split("-")[1] == trace


async def test_ready_names_what_is_away(database: DatabaseUrl) -> None:
    model = FakeModel()
    async with worker(database, model) as client:
        assert (await client.get("/health/ready")).status_code == 200
    settings = WorkerSettings(
        database_url="postgresql://nobody@127.0.0.1:1/none", model_service_url="http://127.0.0.1:1"
    )
    async with serving(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as client:
        ready = await client.get("/health/ready")
        assert (ready.status_code, set(ready.json()["failing"])) == (503, {"database", "model"})
        assert (await client.get("/health/live")).status_code == 200
        answers = await asyncio.gather(
            client.post("/jobs", json={"prompts": ["a"]}),
            client.get("/jobs"),
            client.get(f"/jobs/{uuid4()}"),
            client.get(f"/jobs/{uuid4()}/events"),
        )
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


async def test_metrics(database: DatabaseUrl) -> None:
    model = FakeModel(faults={"bad": [UpstreamRejected("no")]})
    async with worker(database, model) as client:
        for prompts in (["a", "b"], ["bad"]):
            await done(client, (await client.post("/jobs", json={"prompts": prompts})).json()["job_id"])
        text = await eventually(lambda: metrics_with(client, "prodigon_database_connections"))
    for line in (
        'prodigon_jobs_total{status="completed"} 1.0',
        'prodigon_jobs_total{status="failed"} 1.0',
        'prodigon_prompts_total{outcome="completed"} 2.0',
        'prodigon_prompts_total{outcome="failed"} 1.0',
        "prodigon_prompt_seconds_count 3.0",
        "prodigon_prompt_attempts_count 3.0",
        "prodigon_jobs_enqueued_total 2.0",
        'prodigon_queue_prompts{status="ready"} 0.0',
        "prodigon_queue_oldest_seconds 0.0",
        'prodigon_database_connections{state="open"}',
    ):
        assert line in text, line


async def test_the_queue_in_redis_by_its_settings(redis_server: RedisServer) -> None:
    async with serving(model_service(FakeModel())) as model_url:
        settings = WorkerSettings(
            queue_type=QueueType.REDIS,
            redis_url=redis_server.url,
            redis_prefix="p",
            model_service_url=model_url,
        )
        async with serving(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/health/ready")).status_code == 200
            job = (await client.post("/jobs", json={"prompts": ["a", "b"]})).json()
            assert (await done(client, job["job_id"]))["results"] == ["answer to a", "answer to b"]
            await eventually(lambda: metrics_with(client, "prodigon_database_connections"))
    async with Redis.from_url(redis_server.url) as redis:
        assert all(key.startswith(b"p:") for key in await redis.keys())


async def test_ready_names_redis_when_that_is_away() -> None:
    settings = WorkerSettings(
        queue_type=QueueType.REDIS, redis_url="redis://127.0.0.1:1", model_service_url="http://127.0.0.1:1"
    )
    async with serving(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as client:
        ready = await client.get("/health/ready")
        assert (ready.status_code, set(ready.json()["failing"])) == (503, {"redis", "model"})
        refused = await client.post("/jobs", json={"prompts": ["a"]})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert refused.headers["Retry-After"] == "1"


async def metrics_with(client: httpx.AsyncClient, name: str) -> str | None:
    text = (await client.get("/metrics")).text
    return text if f"{name}{{" in text else None
