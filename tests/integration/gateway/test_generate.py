"""The two generate routes: limits, defaults, bytes that pass through, faults before and in a stream."""

import json

import httpx
import pytest

from prodigon_lib.core import sse
from prodigon_lib.core.errors import (
    ProdigonError,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from prodigon_lib.core.schemas.generate import DEFAULT_MAX_TOKENS, DEFAULT_TEMPERATURE
from tests.integration.gateway.conftest import error_of
from tests.integration.gateway.fakes import TOKENS, USAGE, FakeModel

PATHS = ["/api/v1/generate", "/api/v1/generate/stream"]
HELLO = {"prompt": "Hello"}
TURN = {"role": "user", "content": "Hello"}


async def test_a_completion(served: httpx.AsyncClient) -> None:
    answer = await served.post("/api/v1/generate", json=HELLO)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "text": "".join(TOKENS),
        "model": "small",
        "usage": USAGE.model_dump(),
        "latency_ms": 1.5,
    }


async def test_a_stream(served: httpx.AsyncClient) -> None:
    answer = await served.post("/api/v1/generate/stream", json=HELLO)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    lines = answer.text.split("\n\n")
    assert [json.loads(line.removeprefix("data: ")) for line in lines[:4]] == TOKENS
    assert lines[4] == "event: usage\ndata: " + json.dumps(USAGE.model_dump(), separators=(",", ":"))
    assert lines[5:] == ["data: [DONE]", ""]


async def test_the_defaults(direct: httpx.AsyncClient, model: FakeModel) -> None:
    await direct.post("/api/v1/generate", json=HELLO)
    (asked,) = model.asked
    assert (asked.max_tokens, asked.temperature) == (DEFAULT_MAX_TOKENS, DEFAULT_TEMPERATURE) == (1024, 0.7)
    assert (asked.model, asked.system_prompt) == (None, None)


@pytest.mark.parametrize("path", PATHS)
async def test_the_body_passes_as_it_came(path: str, direct: httpx.AsyncClient, model: FakeModel) -> None:
    body = b'{ "unknown": [1,2],\n "prompt":"\\u00fc" }'
    await direct.post(path, content=body, headers={"Content-Type": "application/json; charset=UTF-8"})
    assert model.bodies == [body]


async def test_a_streamed_byte_is_not_parsed(direct: httpx.AsyncClient, model: FakeModel) -> None:
    model.pieces = [b"\x00\xff not even", b" text \xfe", b"\n", bytes(range(256))]
    answer = await direct.post("/api/v1/generate/stream", json=HELLO)
    assert answer.content == b"".join(model.pieces)


ACCEPTED = [
    {"prompt": "x" * 10_000},
    {"prompt": "x", "messages": None},
    {"messages": [TURN]},
    {
        "messages": [
            {"role": "system", "content": "Be short."},
            TURN,
            {"role": "assistant", "content": "x" * 64_000},
        ]
    },
    {**HELLO, "max_tokens": 1},
    {**HELLO, "max_tokens": 8192},
    {**HELLO, "temperature": 0},
    {**HELLO, "temperature": 2},
    {**HELLO, "model": "x" * 200},
    {**HELLO, "model": None, "system_prompt": None},
    {**HELLO, "system_prompt": ""},
]


@pytest.mark.parametrize("body", ACCEPTED, ids=range(len(ACCEPTED)))
async def test_what_is_accepted(body: object, direct: httpx.AsyncClient) -> None:
    for path in PATHS:
        assert (await direct.post(path, json=body)).status_code == 200


REFUSED = [
    ({}, "prompt"),
    ({**HELLO, "messages": [TURN]}, "messages"),
    ({"prompt": ""}, "prompt"),
    ({"prompt": "x" * 10_001}, "prompt"),
    ({"prompt": 5}, "prompt"),
    ({"prompt": "a\x00b"}, "prompt"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": "x" * 64_001}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": "\x00"}]}, "messages.0.content"),
    ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
    ({**HELLO, "max_tokens": 0}, "max_tokens"),
    ({**HELLO, "max_tokens": 8193}, "max_tokens"),
    ({**HELLO, "max_tokens": 1.5}, "max_tokens"),
    ({**HELLO, "temperature": -0.1}, "temperature"),
    ({**HELLO, "temperature": 2.1}, "temperature"),
    ({**HELLO, "model": ""}, "model"),
    ({**HELLO, "model": "x" * 201}, "model"),
    ({**HELLO, "model": "a\x00"}, "model"),
    ({**HELLO, "system_prompt": "\x00"}, "system_prompt"),
]


@pytest.mark.parametrize(("body", "field"), REFUSED, ids=range(len(REFUSED)))
async def test_a_bad_field_is_named(
    body: object, field: str, direct: httpx.AsyncClient, model: FakeModel
) -> None:
    for path in PATHS:
        answer = await direct.post(path, json=body)
        assert answer.status_code == 422
        assert error_of(answer)["code"] == "VALIDATION_ERROR"
        assert field in error_of(answer)["message"]
    assert model.asked == []


FAULTS = [
    (RateLimited("slow down", retry_after=7), 429, "7"),
    (UpstreamError("it broke"), 502, None),
    (UpstreamUnavailable("it is away", retry_after=1), 503, "1"),
    (UpstreamTimeout("it took too long"), 504, None),
]


@pytest.mark.parametrize(("fault", "status", "retry_after"), FAULTS)
async def test_a_fault_before_the_first_token_is_a_status(
    fault: ProdigonError, status: int, retry_after: str | None, direct: httpx.AsyncClient, model: FakeModel
) -> None:
    model.fault = fault
    for path in PATHS:
        answer = await direct.post(path, json=HELLO)
        assert answer.status_code == status
        assert error_of(answer)["code"] == fault.code
        assert error_of(answer)["message"] == fault.message
        assert answer.headers.get("Retry-After") == retry_after


@pytest.mark.parametrize("cut_inside", [False, True])
async def test_a_fault_in_a_stream_is_an_event(
    cut_inside: bool, served: httpx.AsyncClient, model: FakeModel
) -> None:
    model.pieces = [sse.token_bytes("one"), b'data: "tw' if cut_inside else sse.token_bytes("two")]
    model.fault, model.fault_after = UpstreamError("it broke"), 2
    answer = await served.post("/api/v1/generate/stream", json=HELLO)
    assert answer.status_code == 200
    events = list(sse.Parser().feed(answer.content))
    assert events[-1].name == "error"
    assert json.loads(events[-1].data)["error"] == {
        "code": "UPSTREAM_ERROR",
        "message": "it broke",
        "request_id": answer.headers["X-Request-ID"],
    }
    assert b"[DONE]" not in answer.content
