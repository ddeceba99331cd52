"""The OpenAI-compatible endpoints, by hand and through the official SDKs."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import groq
import httpx
import openai
import pytest

from prodigon_lib.core.errors import (
    ProdigonError,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from prodigon_lib.core.schemas.generate import DEFAULT_MAX_TOKENS, DEFAULT_TEMPERATURE
from prodigon_lib.gateway.app import create_app
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import TOKENS, USAGE, FakeJobs, FakeModel
from tests.integration.gateway.threads import serving_in_thread
from tests.polling import eventually

PATHS = ["/v1/chat/completions", "/openai/v1/chat/completions"]
USER = {"role": "user", "content": "Hello"}
HELLO: dict[str, Any] = {"model": "small", "messages": [USER]}
TEXT = "".join(TOKENS)


def chunks_of(answer: httpx.Response) -> list[dict[str, Any]]:
    *pieces, done, rest = answer.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(piece.removeprefix("data: ")) for piece in pieces]


@pytest.mark.parametrize("path", PATHS)
async def test_a_completion(path: str, direct: httpx.AsyncClient) -> None:
    answer = await direct.post(path, json=HELLO)
    assert answer.status_code == 200
    document = answer.json()
    assert document["id"].startswith("chatcmpl-")
    assert (document["object"], document["model"]) == ("chat.completion", "small")
    assert document["usage"] == USAGE.model_dump()
    (choice,) = document["choices"]
    assert choice["message"] == {"role": "assistant", "content": TEXT, "refusal": None}
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("with_usage", [False, True])
async def test_a_stream(path: str, with_usage: bool, direct: httpx.AsyncClient) -> None:
    body = {**HELLO, "stream": True, "stream_options": {"include_usage": with_usage}}
    answer = await direct.post(path, json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    pieces = chunks_of(answer)
    assert {piece["object"] for piece in pieces} == {"chat.completion.chunk"}
    assert len({piece["id"] for piece in pieces}) == 1
    if with_usage:
        *pieces, last = pieces
        assert (last["choices"], last["usage"]) == ([], USAGE.model_dump())
        assert {piece["usage"] for piece in pieces} == {None}
    else:
        assert not any("usage" in piece for piece in pieces)
    choices = [piece["choices"][0] for piece in pieces]
    assert choices[0]["delta"] == {"role": "assistant", "content": TOKENS[0]}
    assert [choice["delta"] for choice in choices[1:-1]] == [{"content": token} for token in TOKENS[1:]]
    assert (choices[-1]["delta"], choices[-1]["finish_reason"]) == ({}, "stop")


async def test_what_the_model_is_asked(direct: httpx.AsyncClient, model: FakeModel) -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    body = {
        "model": "small",
        "messages": [{"role": "developer", "content": "Be short."}, {"role": "user", "content": parts}],
        "max_completion_tokens": 7,
        "max_tokens": 9,
        "temperature": 0,
        "user": "me",
        "seed": 5,
        "top_p": 0.5,
        "n": 1,
        "stop": None,
        "tools": [],
        "tool_choice": "none",
        "response_format": {"type": "text"},
        "metadata": {"a": "b"},
    }
    assert (await direct.post(PATHS[0], json=body)).status_code == 200
    assert (await direct.post(PATHS[0], json=HELLO)).status_code == 200
    first, second = model.asked
    turns = [(message.role, message.content) for message in first.messages or []]
    assert turns == [("system", "Be short."), ("user", "Hello")]
    assert (first.model, first.max_tokens, first.temperature) == ("small", 7, 0)
    assert (second.max_tokens, second.temperature) == (DEFAULT_MAX_TOKENS, DEFAULT_TEMPERATURE)


async def test_an_answer_cut_by_the_limit_says_so(direct: httpx.AsyncClient) -> None:
    limit = USAGE.completion_tokens
    whole = await direct.post(PATHS[0], json={**HELLO, "max_tokens": limit})
    assert whole.json()["choices"][0]["finish_reason"] == "length"
    streamed = await direct.post(PATHS[0], json={**HELLO, "max_tokens": limit, "stream": True})
    assert chunks_of(streamed)[-1]["choices"][0]["finish_reason"] == "length"


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,xx"}}
REFUSED = [
    ({"messages": [USER]}, "model"),
    ({"model": "m"}, "messages"),
    ({**HELLO, "messages": []}, "messages"),
    ({**HELLO, "messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "role"),
    ({**HELLO, "messages": [{"role": "user", "content": [IMAGE]}]}, "content"),
    ({**HELLO, "messages": [{"role": "user", "content": ""}]}, "messages.0"),
    ({**HELLO, "messages": [{"role": "user", "content": []}]}, "messages.0"),
    ({**HELLO, "messages": [{"role": "user", "content": "a\x00"}]}, "content"),
    ({**HELLO, "messages": [{"role": "assistant", "content": None}]}, "content"),
    ({**HELLO, "n": 2}, "n:"),
    ({**HELLO, "stop": ["\n"]}, "stop"),
    ({**HELLO, "stop": "x"}, "stop"),
    ({**HELLO, "tools": [{"type": "function"}]}, "tools"),
    ({**HELLO, "functions": [{}]}, "functions"),
    ({**HELLO, "response_format": {"type": "json_object"}}, "response_format"),
    ({**HELLO, "logprobs": True}, "logprobs"),
    ({**HELLO, "modalities": ["audio"]}, "modalities"),
    ({**HELLO, "max_tokens": 0}, "max_tokens"),
    ({**HELLO, "max_completion_tokens": 8193}, "max_completion_tokens"),
    ({**HELLO, "temperature": 2.5}, "temperature"),
]


@pytest.mark.parametrize(("body", "field"), REFUSED, ids=range(len(REFUSED)))
async def test_what_is_not_supported_is_refused_by_name(
    body: object, field: str, direct: httpx.AsyncClient, model: FakeModel
) -> None:
    answer = await direct.post(PATHS[0], json=body)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == (
        "invalid_request_error",
        "validation_error",
        None,
    )
    assert field in error["message"]
    assert model.asked == []


async def test_a_fault_in_a_stream_is_openais_error(direct: httpx.AsyncClient, model: FakeModel) -> None:
    model.fault, model.fault_after = UpstreamError("it broke"), 2
    answer = await direct.post(PATHS[0], json={**HELLO, "stream": True})
    assert answer.status_code == 200
    last = json.loads(answer.text.strip().split("\n\n")[-1].removeprefix("data: "))
    assert last == {
        "error": {"message": "it broke", "type": "api_error", "param": None, "code": "upstream_error"}
    }
    assert "[DONE]" not in answer.text


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_ends_the_call(
    stream: bool, served: httpx.AsyncClient, model: FakeModel
) -> None:
    states: list[str] = []

    async def endless(body: bytes) -> AsyncIterator[bytes]:
        states.append("begun")
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            states.append("ended")

    async def forever(body: bytes) -> bytes:
        return b"".join([piece async for piece in endless(body)])

    model.forward_stream, model.forward = endless, forever
    call = asyncio.create_task(served.post(PATHS[0], json={**HELLO, "stream": stream}))
    await eventually(lambda: states == ["begun"])
    call.cancel()
    await eventually(lambda: states == ["begun", "ended"], within=1)


def kinds(url: str) -> dict[str, Any]:
    """Both SDKs as their documentation has them made: OpenAI's with `/v1`, Groq's with the root."""
    options = {"api_key": "any", "max_retries": 0}
    return {
        "openai": openai.OpenAI(base_url=f"{url}/v1", **options),
        "openai-async": openai.AsyncOpenAI(base_url=f"{url}/v1", **options),
        "groq": groq.Groq(base_url=url, **options),
        "groq-async": groq.AsyncGroq(base_url=url, **options),
    }


@pytest.fixture
def sdk_model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def sdk_url(sdk_model: FakeModel):
    with serving_in_thread(lambda: create_app(settings_for(), model=sdk_model, jobs=FakeJobs())) as url:
        yield url


SYNC = ["openai", "groq"]
ASYNC = ["openai-async", "groq-async"]


@pytest.mark.parametrize("kind", SYNC)
def test_a_sync_sdk(kind: str, sdk_url: str) -> None:
    with kinds(sdk_url)[kind] as client:
        assert [card.id for card in client.models.list().data] == ["small", "maker/large"]
        assert client.models.retrieve("maker/large").owned_by == "fake"
        completion = client.chat.completions.create(**HELLO)
        assert completion.choices[0].message.content == TEXT
        assert completion.usage.total_tokens == USAGE.total_tokens
        raw = client.chat.completions.with_raw_response.create(**HELLO)
        assert raw.headers["x-request-id"]
        stream = client.chat.completions.create(**HELLO, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == TEXT


def test_the_openai_sdk_reads_usage_and_request_id(sdk_url: str) -> None:
    with kinds(sdk_url)["openai"] as client:
        options = {"include_usage": True}
        *_, last = client.chat.completions.create(**HELLO, stream=True, stream_options=options)
        assert last.usage.total_tokens == USAGE.total_tokens
        assert client.chat.completions.create(**HELLO)._request_id


@pytest.mark.parametrize("kind", ASYNC)
async def test_an_async_sdk(kind: str, sdk_url: str) -> None:
    async with kinds(sdk_url)[kind] as client:
        assert [card.id for card in (await client.models.list()).data] == ["small", "maker/large"]
        completion = await client.chat.completions.create(**HELLO)
        assert completion.choices[0].message.content == TEXT
        stream = await client.chat.completions.create(**HELLO, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == TEXT


FAULTS: list[tuple[ProdigonError | None, dict[str, Any], str]] = [
    (None, {"n": 2}, "UnprocessableEntityError"),
    (RateLimited("slow down", retry_after=1), {}, "RateLimitError"),
    (UpstreamError("it broke"), {}, "InternalServerError"),
    (UpstreamUnavailable("away"), {}, "InternalServerError"),
    (UpstreamTimeout("too long"), {}, "InternalServerError"),
]


@pytest.mark.parametrize("kind", SYNC)
def test_errors_are_the_sdks_own(kind: str, sdk_url: str, sdk_model: FakeModel) -> None:
    sdk: Any = {"openai": openai, "groq": groq}[kind]
    with kinds(sdk_url)[kind] as client:
        for fault, options, name in FAULTS:
            sdk_model.fault, sdk_model.fault_after = fault, 0
            for stream in (False, True):
                with pytest.raises(getattr(sdk, name)) as caught:
                    client.chat.completions.create(**HELLO, **options, stream=stream)
                assert caught.value.response.headers["x-request-id"]
                if fault is not None:
                    assert caught.value.body["error" if kind == "groq" else "message"]
        sdk_model.fault = None
        with pytest.raises(sdk.NotFoundError):
            client.models.retrieve("nothing")
        sdk_model.fault, sdk_model.fault_after = UpstreamError("it broke"), 2
        with pytest.raises(sdk.APIError, match="it broke"):
            list(client.chat.completions.create(**HELLO, stream=True))
