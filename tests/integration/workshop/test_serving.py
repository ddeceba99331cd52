"""An application served from a thread, and the heartbeat of its loop."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI

from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.heartbeat import heartbeat, strip_chart, worst
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.serving import serve
from prodigon_lib.workshop.targets import Target

BLOCKED = 1.0


def application(events: list[str]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        events.append("started")
        yield
        events.append("ended")

    app = FastAPI(lifespan=lifespan)

    @app.get("/blocking")
    async def blocking() -> None:
        threading.Event().wait(BLOCKED)

    @app.get("/waiting")
    async def waiting() -> None:
        await asyncio.sleep(BLOCKED)

    return app


async def test_it_is_served_while_the_block_runs_and_gone_afterwards() -> None:
    events: list[str] = []
    with serve(application(events)) as served:
        assert events == ["started"]
        target = Target(f"{served.url}/openapi.json")
        assert not (await closed_loop(target, in_flight=2, count=4)).errors
    assert events == ["started", "ended"]
    assert (await closed_loop(target, in_flight=1, count=1)).errors
    assert "served" not in [thread.name for thread in threading.enumerate()]


async def test_a_blocked_loop_does_not_beat() -> None:
    with serve(application([])) as served:
        beats = {}
        for name in ("blocking", "waiting"):
            with heartbeat(served.loop) as beats[name]:
                await closed_loop(Target(f"{served.url}/{name}"), in_flight=1, count=1)
    assert worst(beats["blocking"]) > 0.8 * BLOCKED
    assert len(beats["waiting"]) > 5 * len(beats["blocking"])
    assert "blocking: the longest lag" in strip_chart(beats).words


def test_what_blocks_the_loop_as_the_block_ends_is_seen() -> None:
    with serve(application([])) as served:
        blocks = threading.Event()

        def block() -> None:
            blocks.set()
            threading.Event().wait(BLOCKED)

        with heartbeat(served.loop) as beats:
            served.loop.call_soon_threadsafe(block)
            assert blocks.wait(10)
    assert worst(beats) > 0.8 * BLOCKED


def test_an_application_that_does_not_start_is_one_line() -> None:
    @asynccontextmanager
    async def broken(_: FastAPI) -> AsyncIterator[None]:
        raise LookupError("no key")
        yield

    with pytest.raises(WorkshopError, match="did not start"), serve(FastAPI(lifespan=broken)):
        raise AssertionError
