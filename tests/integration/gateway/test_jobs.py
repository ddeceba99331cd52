"""Jobs through the gateway: what the worker service says, and what the gateway checks before it asks."""

import json
from uuid import uuid4

import httpx
import pytest

from prodigon_lib.core import sse
from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.core.schemas.jobs import JobStatus
from tests.integration.gateway.conftest import error_of
from tests.integration.gateway.fakes import FakeJobs

JOBS = "/api/v1/jobs"


async def submit(http: httpx.AsyncClient, count: int = 2, **headers: str) -> httpx.Response:
    return await http.post(JOBS, json={"prompts": ["x"] * count}, headers=headers)


async def test_a_job_is_accepted(direct: httpx.AsyncClient) -> None:
    answer = await submit(direct)
    assert answer.status_code == 202
    job = answer.json()
    assert set(job) == {
        "job_id", "status", "created_at", "completed_at", "total_prompts", "completed_prompts", "results",
        "errors", "error",
    }  # fmt: skip
    assert (job["status"], job["total_prompts"], job["completed_prompts"]) == ("pending", 2, 0)
    assert job["results"] == [None, None]
    assert (await direct.get(f"{JOBS}/{job['job_id']}")).json() == job


async def test_the_same_key_gives_the_same_job(direct: httpx.AsyncClient) -> None:
    first = await submit(direct, **{"Idempotency-Key": "a key"})
    again = await submit(direct, **{"Idempotency-Key": "a key"})
    other = await submit(direct, **{"Idempotency-Key": "another"})
    assert first.json()["job_id"] == again.json()["job_id"] != other.json()["job_id"]
    conflict = await submit(direct, 3, **{"Idempotency-Key": "a key"})
    assert (conflict.status_code, error_of(conflict)["code"]) == (409, "IDEMPOTENCY_CONFLICT")


@pytest.mark.parametrize("key", ["", "x" * 201, "é", " "])
async def test_a_bad_key_is_named(key: str, direct: httpx.AsyncClient, jobs: FakeJobs) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = await direct.post(JOBS, json={"prompts": ["x"]}, headers=headers)
    assert answer.status_code == 422
    assert "Idempotency-Key" in error_of(answer)["message"]
    assert jobs.jobs == {}


BAD = [
    ({}, "prompts"),
    ({"prompts": []}, "prompts"),
    ({"prompts": ["x"] * 101}, "prompts"),
    ({"prompts": [""]}, "prompts.0"),
    ({"prompts": ["x", "x" * 10_001]}, "prompts.1"),
    ({"prompts": ["\x00"]}, "prompts.0"),
    ({"prompts": "x"}, "prompts"),
    ({"prompts": ["x"], "max_tokens": 0}, "max_tokens"),
    ({"prompts": ["x"], "max_tokens": 8193}, "max_tokens"),
    ({"prompts": ["x"], "model": ""}, "model"),
]


@pytest.mark.parametrize(("body", "field"), BAD, ids=range(len(BAD)))
async def test_a_bad_field_is_named(body: object, field: str, direct: httpx.AsyncClient) -> None:
    answer = await direct.post(JOBS, json=body)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "VALIDATION_ERROR")
    assert field in error_of(answer)["message"]


async def test_a_hundred_long_prompts_are_accepted(direct: httpx.AsyncClient) -> None:
    answer = await direct.post(JOBS, json={"prompts": ["x" * 10_000] * 100, "model": None})
    assert (answer.status_code, answer.json()["total_prompts"]) == (202, 100)


async def test_the_list_has_pages_and_a_filter(direct: httpx.AsyncClient, jobs: FakeJobs) -> None:
    ids = [(await submit(direct)).json()["job_id"] for _ in range(5)]
    first = await direct.get(JOBS, params={"limit": 3})
    cursor = first.headers["X-Next-Cursor"]
    second = await direct.get(JOBS, params={"limit": 3, "cursor": cursor})
    assert [job["job_id"] for job in first.json() + second.json()] == ids[::-1]
    assert "X-Next-Cursor" not in second.headers
    jobs.finish(next(iter(jobs.jobs)))
    done = await direct.get(JOBS, params={"status": "completed"})
    assert [job["job_id"] for job in done.json()] == ids[:1]
    bad = await direct.get(JOBS, params={"status": "lost"})
    assert bad.status_code == 422
    assert "status" in error_of(bad)["message"]


async def test_cancel_and_retry(direct: httpx.AsyncClient, jobs: FakeJobs) -> None:
    id = (await submit(direct)).json()["job_id"]
    cancelled = await direct.post(f"{JOBS}/{id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    again = await direct.post(f"{JOBS}/{id}/cancel")
    assert (again.status_code, error_of(again)["code"]) == (409, "JOB_FINISHED")
    nothing = await direct.post(f"{JOBS}/{id}/retry")
    assert (nothing.status_code, error_of(nothing)["code"]) == (409, "NOTHING_TO_RETRY")
    jobs.finish(next(iter(jobs.jobs)), JobStatus.FAILED)
    retried = await direct.post(f"{JOBS}/{id}/retry")
    assert (retried.status_code, retried.json()["status"]) == (202, "pending")


async def test_progress_as_events(served: httpx.AsyncClient) -> None:
    id = (await submit(served)).json()["job_id"]
    answer = await served.get(f"{JOBS}/{id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, last = sse.Parser().feed(answer.content)
    assert [(event.name, json.loads(event.data)["status"]) for event in events] == [
        ("job", "pending"),
        ("job", "completed"),
    ]
    assert (last.name, last.data) == ("message", "[DONE]")


ONE_JOB = [("get", ""), ("post", "/cancel"), ("post", "/retry"), ("get", "/events")]


@pytest.mark.parametrize(("method", "path"), ONE_JOB)
async def test_a_job_that_is_not_there(
    method: str, path: str, direct: httpx.AsyncClient, jobs: FakeJobs
) -> None:
    answer = await direct.request(method, f"{JOBS}/{uuid4()}{path}")
    assert (answer.status_code, error_of(answer)["code"]) == (404, "JOB_NOT_FOUND")
    bad = await direct.request(method, f"{JOBS}/1{path}")
    assert (bad.status_code, error_of(bad)["code"]) == (400, "INVALID_ID")
    jobs.fault = UpstreamUnavailable("the worker service is away", retry_after=1)
    away = await direct.request(method, f"{JOBS}/{uuid4()}{path}")
    assert (away.status_code, away.headers["Retry-After"]) == (503, "1")
