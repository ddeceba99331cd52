"""What only a wire can do: be refused, break, be slow, have several ends. HTTP and gRPC alike."""

import asyncio
import time
from contextlib import AsyncExitStack, suppress

import pytest

from prodigon_lib.core.deadline import current_deadline
from prodigon_lib.core.errors import RateLimited, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.core.schemas.generate import GenerateRequest
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.http import Timeouts
from tests.integration.transport.conftest import WIRES, Served, carried, first_of, free_port, model_service
from tests.integration.transport.provider import TOKENS, ScriptedProvider
from tests.polling import eventually

ASKED = GenerateRequest(prompt="Hello")
SHORT = Timeouts(connect=0.5, first_byte=0.4, between=0.4, whole=0.4)

pytestmark = pytest.mark.parametrize("wire", WIRES)


def nowhere(wire: str) -> str:
    return f"{wire}://127.0.0.1:{free_port()}"


async def test_nobody_there(wire: str) -> None:
    async with carried(nowhere(wire), timeouts=SHORT) as client:
        for call in (client.generate(ASKED), anext(client.stream(ASKED)), client.models()):
            with pytest.raises(UpstreamUnavailable, match="the model service is away"):
                await call


async def test_a_refused_connection_tries_the_next_address(wire: str, served: Served) -> None:
    async with carried(nowhere(wire), served.urls[wire]) as client:
        for _ in range(4):
            assert (await client.generate(ASKED)).text == "".join(TOKENS)
            assert (await first_of(client.stream(ASKED), 1)) == TOKENS[:1]


async def test_addresses_take_turns(wire: str) -> None:
    providers = [ScriptedProvider(), ScriptedProvider()]
    async with AsyncExitStack() as stack:
        running = [await stack.enter_async_context(model_service(each)) for each in providers]
        client = await stack.enter_async_context(carried(*(each.urls[wire] for each in running)))
        for _ in range(6):
            await client.generate(ASKED)
        assert [len(each.asked) for each in providers] == [3, 3]


async def test_one_that_comes_back_is_found(wire: str) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        running = await first.enter_async_context(model_service(ScriptedProvider()))
        url = running.urls[wire]
        client = await stack.enter_async_context(carried(url))
        await client.generate(ASKED)
        await first.aclose()
        with pytest.raises(UpstreamUnavailable):
            await client.generate(ASKED)
        again = ScriptedProvider()
        port = int(url.rpartition(":")[2])
        await stack.enter_async_context(model_service(again, port=port, wire=wire))

        async def works() -> bool:
            with suppress(UpstreamUnavailable):
                await client.generate(ASKED)
            return bool(again.asked)

        await eventually(works)


@pytest.mark.parametrize("silent_at", [0, 2])
async def test_silence_ends_in_time(silent_at: int, wire: str, served: Served) -> None:
    served.provider.silent_at = silent_at
    async with carried(served.urls[wire], timeouts=SHORT) as client:
        with pytest.raises(UpstreamTimeout, match="took too long"):
            await client.generate(ASKED)
        stream = client.stream(ASKED)
        assert await first_of(stream, silent_at) == TOKENS[:silent_at]
        with pytest.raises(UpstreamTimeout, match="took too long"):
            await anext(stream)
    await eventually(lambda: served.provider.running == 0, within=2)


@pytest.mark.parametrize("streamed", [False, True])
async def test_one_that_hangs_is_left_alone_and_found_again(wire: str, streamed: bool) -> None:
    asked = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        await reader.read()
        writer.close()

    hanging = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = hanging.sockets[0].getsockname()[1]
    wary = Resilience(failures=2, rest=0.5)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            carried(f"{wire}://127.0.0.1:{port}", timeouts=SHORT, resilience=wary)
        )

        async def ask() -> object:
            return await (first_of(client.stream(ASKED), 1) if streamed else client.generate(ASKED))

        for _ in range(wary.failures):
            with pytest.raises((UpstreamTimeout, UpstreamUnavailable)):
                await ask()
        before = len(asked)
        with pytest.raises(UpstreamUnavailable, match="left alone"):
            await ask()
        assert len(asked) == before
        hanging.close()
        for writer in asked:
            writer.close()
        await stack.enter_async_context(model_service(ScriptedProvider(), port=port, wire=wire))

        async def works() -> object:
            with suppress(UpstreamUnavailable):
                return await ask()
            return None

        await eventually(works)


async def test_what_the_service_itself_says_leaves_nobody_alone(wire: str, served: Served) -> None:
    served.provider.fault = RateLimited("slower", retry_after=1)
    async with carried(served.urls[wire], resilience=Resilience(failures=2)) as client:
        for _ in range(5):
            with pytest.raises(RateLimited):
                await client.generate(ASKED)


async def test_a_caller_who_leaves_leaves_nobody_alone(wire: str, served: Served) -> None:
    served.provider.silent_at = 0
    async with carried(served.urls[wire], resilience=Resilience(failures=2)) as client:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.generate(ASKED)
        served.provider.silent_at = None
        assert (await client.generate(ASKED)).text


async def test_a_fault_of_the_services_own_is_not_the_callers(wire: str, served: Served) -> None:
    served.provider.fault = RuntimeError("SELECT secret FROM table")
    async with carried(served.urls[wire]) as client:
        for call in (client.generate(ASKED), anext(client.stream(ASKED))):
            with pytest.raises(UpstreamError, match="the model service failed") as caught:
                await call
            assert "secret" not in caught.value.message


async def test_the_callers_deadline_shrinks_on_its_way(wire: str, served: Served) -> None:
    async with carried(served.urls[wire]) as client:
        token = current_deadline.set(time.monotonic() + 5)
        try:
            await client.generate(ASKED)
            assert await first_of(client.stream(ASKED), 1)
        finally:
            current_deadline.reset(token)
        await client.generate(ASKED)
    first, second, third = served.provider.budgets
    assert 4 < second <= 5.01 > first > 4  # on the wire of gRPC it has three digits, rounded up
    assert third is None or third > 100  # no caller's any more: what the client itself allows


async def test_many_at_once(wire: str, served: Served) -> None:
    patient = Timeouts(
        connect=20.0
    )  # caller and service share a core here, and it has 200 connections to make
    async with carried(served.urls[wire], timeouts=patient) as client:
        answers = await asyncio.gather(*(client.generate(ASKED) for _ in range(200)))
    assert {answer.text for answer in answers} == {"".join(TOKENS)}
    assert served.provider.running == 0
