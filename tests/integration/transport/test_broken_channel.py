"""A gRPC connection that breaks before the answer: repeated once, where that is safe, within the budget."""

from typing import Any

import pytest
from grpc import StatusCode, aio

from prodigon_lib.core.errors import UpstreamError
from prodigon_lib.core.schemas.generate import GenerateRequest
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.grpc import GrpcModelClient, model_channel
from prodigon_lib.transport.http import Timeouts
from prodigon_lib.transport.retry_budget import RESERVE
from tests.integration.transport.conftest import Served

ASKED = GenerateRequest(prompt="Hello")


class BreakingStub:
    """The real one, whose connection breaks under its first calls."""

    def __init__(self, stub: Any, times: int) -> None:
        self._stub, self.left, self.asked = stub, times, 0

    async def Generate(self, message: Any, **options: Any) -> Any:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise aio.AioRpcError(StatusCode.UNAVAILABLE, aio.Metadata(), aio.Metadata(), "Socket closed")
        return await self._stub.Generate(message, **options)


@pytest.fixture
async def breaking(served: Served, request: pytest.FixtureRequest) -> Any:
    """A client, and what makes its next calls break."""
    url = served.urls["grpc"]
    telemetry = Telemetry("test", Settings(_env_file=None))
    wary = Resilience(failures=1000, retry_percent=request.param)
    channel = model_channel((url,), telemetry, Timeouts(), wary)
    await channel.open()

    def under(times: int) -> BreakingStub:
        channel._stubs[url] = stub = BreakingStub(channel._stubs[url], times)
        return stub

    yield GrpcModelClient(channel), under
    await channel.close()


@pytest.mark.parametrize("breaking", [100], indirect=True)
async def test_it_is_repeated_once(breaking: Any) -> None:
    client, under = breaking
    stub = under(1)
    assert (await client.generate(ASKED)).text
    assert stub.asked == 2


@pytest.mark.parametrize("breaking", [100], indirect=True)
async def test_it_is_not_repeated_twice(breaking: Any) -> None:
    client, under = breaking
    stub = under(2)
    with pytest.raises(UpstreamError, match="broke"):
        await client.generate(ASKED)
    assert stub.asked == 2


@pytest.mark.parametrize("breaking", [10], indirect=True)
async def test_a_storm_of_them_is_not_doubled(breaking: Any) -> None:
    client, under = breaking
    stub = under(10_000)
    for _ in range(100):
        with pytest.raises(UpstreamError):
            await client.generate(ASKED)
    assert stub.asked <= 100 + 100 * 0.1 + RESERVE + 1
