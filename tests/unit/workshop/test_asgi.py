"""Asking an application directly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import StreamingResponse

from prodigon_lib.workshop.asgi import started
from tests.polling import eventually


@pytest.fixture
def events() -> list[str]:
    return []


def application(events: list[str]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        yield {"word": "kept"}
        events.append("ended")

    async def noted() -> AsyncIterator[None]:
        try:
            yield
        finally:
            events.append("closed")

    app = FastAPI(lifespan=lifespan)

    @app.post("/echo", status_code=201)
    async def echo(
        body: dict[str, str], request: Request, x_user: Annotated[str, Header()],
        _: Annotated[None, Depends(noted, scope="function")],
    ) -> list[str]:  # fmt: skip
        return [body["a"], x_user, request.state.word]

    @app.get("/error")
    async def error() -> None:
        raise RuntimeError("broken")

    @app.get("/stream")
    async def stream(_: Annotated[None, Depends(noted)]) -> StreamingResponse:
        async def words() -> AsyncIterator[str]:
            while True:
                yield "word "
                await asyncio.sleep(0)

        return StreamingResponse(words())

    @app.get("/wait")
    async def wait(_: Annotated[None, Depends(noted)]) -> None:
        events.append("waiting")
        await asyncio.Event().wait()

    return app


async def test_a_request_with_a_body_and_what_the_lifespan_left(events: list[str]) -> None:
    async with started(application(events)) as service:
        reply = await service.ask(
            "POST",
            "/echo",
            {"a": "b"},
            headers={"X-User": "me"},
            on_start=lambda s: events.append(f"told {s}"),
        )
        assert (reply.said, reply.json()) == ("201", ["b", "me", "kept"])
        assert events == ["closed", "told 201"]
    assert events[-1] == "ended"


async def test_bytes_are_sent_as_they_are_and_headers_come_back(events: list[str]) -> None:
    async with started(application(events)) as service:
        reply = await service.ask("POST", "/echo", b'{"a": "\\u00e9"}', headers={"X-User": "me"})
        broken = await service.ask("POST", "/echo", b"{", headers={"X-User": "me"})
    assert (reply.json()[0], reply.headers["content-type"], broken.status) == ("é", "application/json", 422)


async def test_what_the_application_raises_is_in_the_reply(events: list[str]) -> None:
    async with started(application(events)) as service:
        reply = await service.ask("GET", "/error")
    assert reply.said == "500 (RuntimeError: broken)"


async def test_a_client_leaves_an_endless_stream(events: list[str]) -> None:
    async with started(application(events)) as service:
        reply = await asyncio.wait_for(service.ask("GET", "/stream", leave_after=3), 5)
        assert reply.body == b"word " * 3
        assert events == ["closed"]


async def test_a_cancelled_call_cancels_the_application(events: list[str]) -> None:
    async with started(application(events)) as service:
        asking = asyncio.create_task(service.ask("GET", "/wait"))
        await eventually(lambda: "waiting" in events)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert events == ["waiting", "closed"]


async def test_a_failed_start_raises_what_the_lifespan_raised() -> None:
    @asynccontextmanager
    async def broken(_: FastAPI) -> AsyncIterator[None]:
        raise LookupError("no key")
        yield

    with pytest.raises(LookupError, match="no key"):
        async with started(FastAPI(lifespan=broken)):
            raise AssertionError
