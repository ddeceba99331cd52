"""Services that prove to each other who they are: over both wires, and what nobody else gets."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from grpc import StatusCode, aio
from pydantic import SecretStr

from prodigon_lib.client import AsyncClient
from prodigon_lib.core.errors import UpstreamError
from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.core.schemas.generate import GenerateRequest
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.gateway.app import create_app
from prodigon_lib.security.service_identity import identity
from prodigon_lib.transport.carriers import model_carrier
from prodigon_lib.transport.http import Timeouts
from prodigon_lib.transport.model import ModelClient
from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.transport.protos.model_v1_pb2_grpc import ModelStub
from prodigon_lib.worker.app import create_app as worker_app
from prodigon_lib.worker.settings import QueueType, WorkerSettings
from tests.integration.gateway.conftest import client_of, error_of, settings_for
from tests.integration.serving import serving
from tests.integration.transport.conftest import Served, model_service
from tests.integration.transport.provider import ScriptedProvider

KEYS = "first:" + base64.b64encode(b"k" * 32).decode()
OTHERS = "first:" + base64.b64encode(b"x" * 32).decode()
GENERATE = {"prompt": "Hello"}


@pytest.fixture
async def model() -> AsyncIterator[Served]:
    async with model_service(ScriptedProvider(), service_keys=KEYS) as running:
        yield running


@asynccontextmanager
async def worker(model_url: str, **settings: Any) -> AsyncIterator[str]:
    made = WorkerSettings(
        _env_file=None, queue_type=QueueType.MEMORY, model_service_url=model_url, **settings
    )
    async with serving(worker_app(made)) as url:
        yield url


@asynccontextmanager
async def calling(url: str, keys: str | None, caller: str = "gateway") -> AsyncIterator[ModelClient]:
    shown = identity(keys and SecretStr(keys), caller, "model")  # type: ignore[arg-type]
    client, connection = model_carrier(
        (url,), Telemetry("test", Settings(_env_file=None)), Timeouts(), identity=shown
    )
    await connection.open()
    try:
        await connection.check()
        yield client
    finally:
        await connection.close()


@pytest.mark.parametrize("wire", ["http", "grpc"])
async def test_a_service_that_proves_itself_is_answered(model: Served, wire: str) -> None:
    async with calling(model.urls[wire], KEYS) as client:
        assert await client.models()
        assert (await client.generate(GenerateRequest(prompt="Hello"))).text
        assert [item async for item in client.stream(GenerateRequest(prompt="Hello"))]


@pytest.mark.parametrize("wire", ["http", "grpc"])
@pytest.mark.parametrize(("keys", "caller"), [(None, "gateway"), (OTHERS, "gateway"), (KEYS, "browser")])
async def test_anybody_else_is_not(model: Served, wire: str, keys: str | None, caller: str) -> None:
    """It is a fault of ours, so no caller of the caller is told to log in."""
    async with calling(model.urls[wire], keys, caller) as client:
        for ask in (client.models, lambda: client.generate(GenerateRequest(prompt="Hello"))):
            with pytest.raises(UpstreamError):
                await ask()
    assert not model.provider.asked


@pytest.mark.parametrize("path", ["/models", "/inference", "/inference/stream", "/nowhere"])
async def test_the_model_says_nothing_to_a_stranger(model: Served, path: str) -> None:
    async with client_of(model.urls["http"]) as http:
        answer = await http.post(path, json=GENERATE, headers={"Authorization": "Bearer x"})
        assert (answer.status_code, error_of(answer)["code"]) == (401, "UNKNOWN_SERVICE")
        assert (await http.get("/health/live")).status_code == 200
        assert (await http.get("/metrics")).status_code == 200


async def test_nor_over_grpc(model: Served) -> None:
    async with aio.insecure_channel(model.urls["grpc"].removeprefix("grpc://")) as channel:
        stub: Any = ModelStub(channel)
        with pytest.raises(aio.AioRpcError) as refused:
            await stub.ListModels(pb.ListModelsRequest())
        assert refused.value.code() is StatusCode.UNAUTHENTICATED


async def test_a_stranger_names_no_user_to_the_worker(model: Served) -> None:
    async with worker(model.urls["http"], service_keys=KEYS) as url, client_of(url) as http:
        for method, path in (("GET", "/jobs"), ("POST", "/jobs"), ("GET", "/jobs/x/events")):
            answer = await http.request(
                method, path, json={"prompts": ["One"]}, headers={"X-User-ID": str(DEFAULT_USER_ID)}
            )
            assert (answer.status_code, error_of(answer)["code"]) == (401, "UNKNOWN_SERVICE")


async def test_a_job_goes_all_the_way(model: Served) -> None:
    async with worker(model.urls["http"], service_keys=KEYS) as url:
        settings = settings_for(
            model_service_url=model.urls["http"], worker_service_url=url, service_keys=KEYS
        )
        async with serving(create_app(settings)) as gateway, AsyncClient(gateway) as client:
            assert (await client.generate("Hello")).text
            job = await client.submit_job(["One", "Two"])
            await job.wait(timeout=30)
            assert job.status == "completed"


async def test_a_gateway_with_another_key_is_a_fault_of_ours(model: Served) -> None:
    settings = settings_for(model_service_url=model.urls["http"], service_keys=OTHERS)
    async with serving(create_app(settings)) as url, client_of(url) as http:
        answer = await http.post("/api/v1/generate", json=GENERATE)
    assert (answer.status_code, error_of(answer)["code"]) == (502, "UPSTREAM_ERROR")
    assert "WWW-Authenticate" not in answer.headers
