"""Work that ends with its client, and only with its own."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from prodigon_lib.core.http.streams import ClientDisconnected, EventStream, unless_disconnected


class Client:
    """A `receive` whose client stays until told to leave."""

    def __init__(self) -> None:
        self.watched = asyncio.Event()
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        self.watched.set()
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def when_cancelled(states: list[str]) -> None:
    states.append("begun")
    try:
        await asyncio.Event().wait()
    finally:
        states.append("ended")


async def test_a_client_that_stays_gets_the_result() -> None:
    async def work() -> int:
        return 5

    assert await unless_disconnected(Client().receive, work()) == 5


async def test_a_client_that_leaves_cancels_the_work() -> None:
    client, states = Client(), list[str]()
    task = asyncio.create_task(unless_disconnected(client.receive, when_cancelled(states)))
    await client.watched.wait()
    client.gone.set()
    with pytest.raises(ClientDisconnected):
        await task
    assert states == ["begun", "ended"]


async def test_the_work_runs_in_the_callers_task() -> None:
    async def work() -> object:
        return asyncio.current_task()

    assert await unless_disconnected(Client().receive, work()) is asyncio.current_task()


async def test_a_server_that_stops_is_no_client_that_leaves() -> None:
    client, states = Client(), list[str]()
    task = asyncio.create_task(unless_disconnected(client.receive, when_cancelled(states)))
    await client.watched.wait()
    client.gone.set()
    await settled()
    task.cancel()
    results = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(results[0], ClientDisconnected | asyncio.CancelledError)

    task = asyncio.create_task(unless_disconnected(Client().receive, when_cancelled(states)))
    await settled()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_client_that_leaves_as_the_work_ends_cancels_nothing_else() -> None:
    client, finish = Client(), asyncio.Event()

    async def request() -> bool:
        result = await unless_disconnected(client.receive, finish.wait())
        await settled()  # where a late cancelling would strike
        return result

    task = asyncio.create_task(request())
    await client.watched.wait()
    client.gone.set()
    finish.set()  # both are noticed in the same round of the loop
    assert await task


async def test_work_that_ends_by_itself_while_cancelled_leaves_no_trace() -> None:
    client = Client()

    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"
        return "never"

    async def request() -> int:
        assert await unless_disconnected(client.receive, stubborn()) == "done"
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    task = asyncio.create_task(request())
    await client.watched.wait()
    client.gone.set()
    assert await task == 0


async def test_a_timeout_inside_the_work_is_a_timeout() -> None:
    async def slow() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await unless_disconnected(Client().receive, slow())


async def test_a_stream_is_closed_whatever_ends_it() -> None:
    closed = list[str]()

    async def chunks(fault: Exception | None):
        try:
            yield b"one"
            if fault:
                raise fault
            yield b"two"
        finally:
            closed.append("closed")

    async def refuse(message: Any) -> None:
        raise OSError("the connection is gone")

    async def accept(message: Any) -> None:
        pass

    async def serve(stream: EventStream, send: Any) -> None:
        await stream({"type": "http"}, Client().receive, send)

    await serve(EventStream(chunks(None)), accept)
    await serve(EventStream(chunks(ValueError("x"))), accept)
    with pytest.raises(OSError, match="gone"):
        await serve(EventStream(chunks(None)), refuse)
    assert closed == ["closed"] * 3


async def settled() -> None:
    """Let every task that can run, run."""
    done: Coroutine[Any, Any, None] = asyncio.to_thread(lambda: None)
    await done
