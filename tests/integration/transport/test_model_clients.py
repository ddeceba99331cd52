"""One contract for every carrier of the model: HTTP, gRPC, none at all."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
import pytest

from prodigon_lib.core import sse
from prodigon_lib.core.context import current_request_id
from prodigon_lib.core.errors import (
    ModelNotFound,
    ProdigonError,
    RateLimited,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
    ValidationFailed,
)
from prodigon_lib.core.ids import RequestId
from prodigon_lib.core.schemas.generate import GenerateRequest, Message, ModelCard, Role
from prodigon_lib.transport.model import ModelClient, encode
from tests.integration.transport.conftest import Served, first_of
from tests.integration.transport.provider import TOKENS, USAGE
from tests.polling import eventually

TEXT = "".join(TOKENS)
ASKED = GenerateRequest(prompt="Hello", max_tokens=7, temperature=0, model="large", system_prompt="Be short.")


async def read(chunks: AsyncGenerator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def test_a_whole_answer(client: ModelClient, served: Served) -> None:
    answer = await client.generate(ASKED)
    assert (answer.text, answer.model, answer.usage) == (TEXT, "large", USAGE)
    assert answer.latency_ms >= 0
    assert served.provider.asked == [ASKED]


async def test_what_is_not_said_has_the_services_default(client: ModelClient, served: Served) -> None:
    turns = [Message(role=role, content=f"I am {role}") for role in Role]
    await client.generate(GenerateRequest(messages=turns))
    (asked,) = served.provider.asked
    assert asked.messages == turns
    assert (asked.max_tokens, asked.temperature, asked.model, asked.prompt) == (1024, 0.7, None, None)


async def test_a_stream(client: ModelClient, served: Served) -> None:
    assert [item async for item in client.stream(ASKED)] == [*TOKENS, USAGE]
    assert served.provider.asked == [ASKED]


async def test_bytes_pass_through(client: ModelClient) -> None:
    document = orjson.loads(await client.forward(encode(ASKED)))
    assert document.pop("latency_ms") >= 0
    assert document == {"text": TEXT, "model": "large", "usage": USAGE.model_dump()}
    whole = b"".join(map(sse.token_bytes, TOKENS)) + sse.usage_bytes(USAGE) + sse.DONE
    assert await read(client.forward_stream(encode(ASKED))) == whole


async def test_models(client: ModelClient) -> None:
    assert await client.models() == [ModelCard(id=name, provider="scripted") for name in ("large", "small")]


@pytest.mark.parametrize(
    "fault",
    [
        RateLimited("slow down, größer", retry_after=3),
        UpstreamError("the provider failed"),
        UpstreamRejected("the provider refused our key"),
        UpstreamUnavailable("the provider is away", retry_after=2),
        UpstreamTimeout("no first token in time"),
        ModelNotFound("there is no model 'x'"),
        ValidationFailed("max_tokens: too many for this model"),
        ProdigonError("said by its code", code="SPECIAL"),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_an_error_is_the_same_on_the_other_side(
    fault: ProdigonError, client: ModelClient, served: Served
) -> None:
    served.provider.fault = fault
    for call in (
        lambda: client.generate(ASKED),
        lambda: client.forward(encode(ASKED)),
        lambda: read(client.forward_stream(encode(ASKED))),
        lambda: anext(client.stream(ASKED)),
        client.models,
    ):
        with pytest.raises(type(fault)) as caught:
            await call()
        assert (caught.value.code, caught.value.message) == (fault.code, fault.message)
        assert caught.value.retry_after == fault.retry_after


async def test_a_fault_after_some_tokens(client: ModelClient, served: Served) -> None:
    served.provider.fault, served.provider.fault_at = RateLimited("enough"), 2
    stream = client.stream(ASKED)
    assert await first_of(stream, 2) == TOKENS[:2]
    with pytest.raises(RateLimited, match="enough"):
        await anext(stream)
    body = await read(client.forward_stream(encode(ASKED)))
    assert b"event: error" in body
    assert b"RATE_LIMITED" in body
    assert b"[DONE]" not in body


@pytest.mark.parametrize("silent_at", [0, 2])
async def test_a_stream_that_is_left_ends_the_providers_call(
    silent_at: int, client: ModelClient, served: Served
) -> None:
    served.provider.silent_at = silent_at
    for stream in (client.stream(ASKED), client.forward_stream(encode(ASKED))):
        before = served.provider.cancelled
        async with aclosing(stream):
            if silent_at:
                await first_of(stream, 1)
            else:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await anext(stream)
        await eventually(lambda before=before: served.provider.cancelled == before + 1, within=2)
        assert served.provider.running == 0


async def test_a_cancelled_call_ends_the_providers_call(client: ModelClient, served: Served) -> None:
    served.provider.silent_at = 1
    task = asyncio.create_task(client.generate(ASKED))
    await eventually(lambda: served.provider.running == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: served.provider.running == 0, within=2)
    assert served.provider.cancelled == 1


async def test_the_request_id_goes_along(client: ModelClient, served: Served) -> None:
    token = current_request_id.set(RequestId("request-7"))
    try:
        await client.generate(ASKED)
        assert [item async for item in client.stream(ASKED)]
    finally:
        current_request_id.reset(token)
    assert served.provider.request_ids == ["request-7"] * 2
