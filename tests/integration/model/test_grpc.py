"""The gRPC face as a plain gRPC client meets it: statuses, deadlines, metadata, reflection, health."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import orjson
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc import StatusCode, aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.model.app import create_app
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.transport.grpc_status import error_in
from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.transport.protos.model_v1_pb2_grpc import ModelStub
from tests.integration.serving import serving
from tests.integration.transport.conftest import Served, free_port, model_service
from tests.integration.transport.provider import TOKENS, ScriptedProvider
from tests.polling import eventually

NAME = "prodigon.model.v1.Model"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with model_service(ScriptedProvider()) as running:
        yield running


@pytest.fixture
async def channel(served: Served) -> AsyncIterator[aio.Channel]:
    async with aio.insecure_channel(served.urls["grpc"].removeprefix("grpc://")) as made:
        yield made


@pytest.fixture
def stub(channel: aio.Channel) -> Any:
    return ModelStub(channel)


def ask(prompt: str = "Hello", **more: Any) -> pb.GenerateRequest:
    return pb.GenerateRequest(prompt=prompt, **more)


async def status_of(call: Any) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (ask(""), "prompt: "),
        (pb.GenerateRequest(), "give exactly one of 'prompt' and 'messages'"),
        (ask(messages=[pb.Message(role=pb.ROLE_USER, content="x")]), "give exactly one"),
        (pb.GenerateRequest(messages=[pb.Message(content="x")]), "messages.0.role: "),
        (ask(max_tokens=0), "max_tokens: "),
        (ask(max_tokens=8193), "max_tokens: "),
        (ask(temperature=2.5), "temperature: "),
        (ask(temperature=float("nan")), "temperature: "),
        (ask("a\x00b"), "prompt: must not contain the character U+0000"),
        (ask("x" * 10_001), "prompt: "),
        (ask(model=""), "model: "),
    ],
)
async def test_a_wrong_field_is_named_as_over_http(
    message: pb.GenerateRequest, said: str, stub: Any, served: Served
) -> None:
    for call in (stub.Generate(message), stub.StreamGenerate(message).read()):
        error = await status_of(call)
        assert error.code() is StatusCode.INVALID_ARGUMENT
        assert said in error.details()
        ours = error_in(error.trailing_metadata())
        assert (ours.code, ours.status) == ("VALIDATION_ERROR", 422)
        assert ours.request_id
    assert served.provider.asked == []


async def test_the_words_of_a_wrong_field_are_those_of_http(stub: Any, served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.urls["http"]) as http:
        over_http = await http.post("/inference", json={"prompt": "", "max_tokens": 0})
    error = await status_of(stub.Generate(ask("", max_tokens=0)))
    assert error.details() == over_http.json()["error"]["message"]


async def test_an_unknown_model_is_not_found(stub: Any) -> None:
    error = await status_of(stub.Generate(ask(model="no-such-model")))
    assert error.code() is StatusCode.NOT_FOUND
    assert error_in(error.trailing_metadata()).code == "MODEL_NOT_FOUND"


async def test_a_deadline_ends_the_providers_call(stub: Any, served: Served) -> None:
    served.provider.silent_at = 2
    error = await status_of(stub.Generate(ask(), timeout=0.3))
    assert error.code() is StatusCode.DEADLINE_EXCEEDED
    await eventually(lambda: served.provider.running == 0, within=2)
    call = stub.StreamGenerate(ask(), timeout=0.3)
    got = [(await call.read()).token for _ in range(3)]
    assert got == ["", *TOKENS[:2]]  # the opening first
    assert (await status_of(call.read())).code() is StatusCode.DEADLINE_EXCEEDED
    await eventually(lambda: served.provider.running == 0, within=2)
    assert served.provider.cancelled == 2


async def test_a_reader_that_stops_reading_and_leaves_ends_the_providers_call(
    stub: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the face waits in `write`, not for the provider."""
    from tests.integration.transport import provider

    monkeypatch.setattr(provider, "TOKENS", ["x" * 100_000] * 500)
    call = stub.StreamGenerate(ask())
    await call.read()
    await eventually(lambda: served.provider.running == 1)
    call.cancel()
    await eventually(lambda: served.provider.running == 0, within=2)
    assert served.provider.cancelled == 1


async def test_metadata_goes_both_ways(stub: Any, served: Served) -> None:
    metadata = [("x-request-id", "request-9"), ("authorization", "Bearer a-key")]
    call = stub.Generate(ask(), metadata=metadata)
    stream = stub.StreamGenerate(ask(), metadata=metadata)
    for told in (dict(await call.initial_metadata()), dict(await stream.initial_metadata())):
        assert told["x-request-id"] == "request-9"
        assert told["x-ratelimit-limit-requests"] == "30"
    assert told["x-model"] == "small"
    assert (await call).text == "".join([item.token async for item in stream])
    assert served.provider.request_ids == ["request-9"] * 2
    assert len(set(served.provider.callers)) == 1
    assert "anyone" not in served.provider.callers


async def test_each_call_is_logged_and_counted(
    stub: Any, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    await stub.Generate(ask(), metadata=[("x-request-id", "request-10")])
    await status_of(stub.Generate(ask("")))
    served.provider.silent_at = 0
    call = stub.StreamGenerate(ask())
    await eventually(lambda: served.provider.running == 1)
    call.cancel()
    lines: list[dict[str, Any]] = []

    def logged() -> bool:
        out = capsys.readouterr().out.splitlines()
        lines.extend(record for record in map(orjson.loads, out) if record["event"] == "request")
        return len(lines) == 3

    await eventually(logged)
    said = [(line["method"], line["path"], line["status"]) for line in lines]
    generate = ("GRPC", f"/{NAME}/Generate")
    assert said == [
        (*generate, "OK"),
        (*generate, "INVALID_ARGUMENT"),
        ("GRPC", f"/{NAME}/StreamGenerate", "CANCELLED"),
    ]
    assert lines[0]["request_id"] == "request-10"
    async with httpx.AsyncClient(base_url=served.urls["http"]) as http:
        figures = (await http.get("/metrics")).text
    assert 'prodigon_grpc_requests_total{code="OK",method="Generate",service="model"} 1.0' in figures
    assert 'code="CANCELLED",method="StreamGenerate"' in figures
    assert 'prodigon_grpc_requests_in_flight{service="model"} 0.0' in figures
    assert 'outcome="cancelled"' in figures


async def test_one_call_too_many_is_refused_at_once() -> None:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            model_service(ScriptedProvider(silent_at=1), max_in_flight=2)
        )
        where = running.urls["grpc"].removeprefix("grpc://")
        stub = ModelStub(await stack.enter_async_context(aio.insecure_channel(where)))
        held = [stub.StreamGenerate(ask()) for _ in range(2)]
        await eventually(lambda: running.provider.running == 2)
        error = await status_of(stub.Generate(ask()))
        assert error.code() is StatusCode.RESOURCE_EXHAUSTED
        assert error_in(error.trailing_metadata()).retry_after == 1
        for call in held:
            call.cancel()
        await eventually(lambda: running.provider.running == 0)
        running.provider.silent_at = None
        assert (await stub.Generate(ask())).text == "".join(TOKENS)


async def test_health(channel: aio.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", NAME):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_tells_the_contract(served: Served) -> None:
    def asked() -> Any:
        import grpc  # its reflection client is a sync one

        with grpc.insecure_channel(served.urls["grpc"].removeprefix("grpc://")) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            assert NAME in database.get_services()
            return DescriptorPool(database).FindServiceByName(NAME)

    service = await asyncio.to_thread(asked)
    assert [method.name for method in service.methods] == ["Generate", "StreamGenerate", "ListModels"]
    fields = service.methods_by_name["Generate"].input_type.fields_by_name
    assert {name: field.number for name, field in fields.items()}["max_tokens"] == 4


async def test_both_faces_give_the_same_answer_for_the_same_seed() -> None:
    port = free_port()
    settings = ModelSettings(
        _env_file=None, use_mock=True, simulated_profile="instant", simulated_seed=7, model_grpc_port=port
    )
    async with (
        serving(create_app(settings)) as url,
        httpx.AsyncClient(base_url=url) as http,
        aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub = ModelStub(channel)
        for prompt in ("What is a lease?", "Explain back-pressure", "héllo 🦉"):
            rest = (await http.post("/inference", json={"prompt": prompt, "max_tokens": 60})).json()
            answer = await stub.Generate(ask(prompt, max_tokens=60))
            assert (answer.text, answer.model) == (rest["text"], rest["model"])
            assert answer.usage.total_tokens == rest["usage"]["total_tokens"]
            items = [item async for item in stub.StreamGenerate(ask(prompt, max_tokens=60))]
            assert "".join(item.token for item in items) == rest["text"]
            assert items[-1].usage.completion_tokens == rest["usage"]["completion_tokens"]


async def test_a_taken_port_stops_the_start_with_its_name() -> None:
    """Also when it is another gRPC server that has it: those share ports unless they are told not to."""
    settings = ModelSettings(_env_file=None, use_mock=True, model_grpc_port=free_port())
    first, second = create_app(settings), create_app(settings)
    async with first.router.lifespan_context(first):
        with pytest.raises(SettingsError, match="MODEL_GRPC_PORT"):
            async with second.router.lifespan_context(second):
                pass
