"""Asks, answers, streams, and views that come and go."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.widgets.wire import Attached
from tests.polling import eventually
from tests.widget_browser import FakeBrowser


async def test_an_answer_comes_with_its_bytes() -> None:
    async def twice(number: int) -> Attached:
        return Attached(2 * number, [b"bytes"])

    browser = FakeBrowser()
    browser.serve({"twice": twice})
    browser.ask("twice", number=4)
    assert await browser.heard("answer") == {"kind": "answer", "id": "1", "value": 8, "buffers": 1}
    assert browser.buffers == [b"bytes"]


async def test_an_error_of_ours_is_told_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    async def away() -> None:
        raise UpstreamUnavailable("nothing answers")

    browser = FakeBrowser()
    browser.serve({"away": away})
    browser.ask("away")
    fault = (await browser.heard("fault"))["fault"]
    assert (fault["code"], fault["message"], fault["retryable"]) == (
        "SERVICE_UNAVAILABLE",
        "nothing answers",
        True,
    )
    assert not caplog.records


@pytest.mark.parametrize(("method", "params"), [("nonsense", {}), ("plain", {"wrong": 1}), ("broken", {})])
async def test_whatever_is_wrong_an_ask_gets_an_answer(method: str, params: dict) -> None:
    async def plain() -> None: ...

    async def broken() -> None:
        raise KeyError("a bug")

    browser = FakeBrowser()
    browser.serve({"plain": plain, "broken": broken})
    browser.ask(method, **params)
    assert (await browser.heard("fault"))["fault"]["code"] in ("BAD_REQUEST", "PANEL_ERROR")


class Endless:
    """A stream that says whether it was ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __call__(self) -> AsyncIterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
                await asyncio.sleep(0.001)
        finally:
            self.ended.set()


@pytest.mark.parametrize("end", [("cancel", {"id": "1"}), ("bye", {"view": "v"})])
async def test_a_stream_ends_when_it_is_cancelled_or_its_view_leaves(end: tuple[str, dict]) -> None:
    browser, endless = FakeBrowser(), Endless()
    browser.serve({"endless": endless})
    browser.ask("endless")
    await browser.heard("item")
    browser.say(end[0], **end[1])
    await asyncio.wait_for(endless.ended.wait(), 5)
    assert not [message for message in browser.got if message["kind"] == "fault"]


async def test_a_finite_stream_tells_its_end() -> None:
    async def three() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    browser = FakeBrowser()
    browser.serve({"three": three})
    browser.ask("three")
    await browser.heard("end")
    assert [message["value"] for message in browser.got if message["kind"] == "item"] == [0, 1, 2]


async def test_a_view_that_falls_silent_is_forgotten_with_its_streams() -> None:
    browser, endless = FakeBrowser(silent_seconds=0.2), Endless()
    browser.serve({"endless": endless})
    browser.ask("endless")
    await asyncio.wait_for(endless.ended.wait(), 5)
    assert not browser.bridge.views
    browser.got.clear()
    browser.say("alive", views=["v"], asks=["1"])
    assert (await browser.heard("alive"))["unknown"] == ["1"]
    assert browser.bridge.views == {"v"}


async def test_chores_run_while_somebody_looks() -> None:
    running: list[int] = []

    async def chore() -> None:
        running.append(1)
        try:
            await asyncio.Event().wait()
        finally:
            running.pop()

    browser = FakeBrowser()
    browser.serve({}, [chore])
    browser.say("hello", view="one")
    browser.say("hello", view="two")
    await eventually(lambda: running == [1])
    browser.say("bye", view="one")
    browser.say("alive", views=["two"], asks=[])
    assert running == [1]
    browser.say("bye", view="two")
    await eventually(lambda: not running)


async def test_a_chore_that_fails_is_begun_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("prodigon_lib.widgets.bridge.AGAIN_SECONDS", 0.01)
    begun: list[int] = []

    async def chore() -> None:
        begun.append(1)
        if len(begun) < 3:
            raise KeyError("a bug")
        await asyncio.Event().wait()

    browser = FakeBrowser()
    browser.serve({}, [chore])
    browser.say("hello", view="one")
    await eventually(lambda: len(begun) == 3)
    assert "a bug" in caplog.text
    browser.say("bye", view="one")
    await browser.bridge.close()
    assert len(begun) == 3


async def test_close_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    browser, endless = FakeBrowser(), Endless()
    browser.serve({"endless": endless}, [asyncio.Event().wait])  # type: ignore[list-item]
    browser.ask("endless")
    await browser.heard("item")
    await browser.bridge.close()
    assert endless.ended.is_set()
    assert asyncio.all_tasks() == before
    browser.bridge.outbox.flush()


async def test_messages_of_another_make_are_ignored() -> None:
    browser = FakeBrowser()
    for message in ({}, {"kind": "ask"}, {"kind": "cancel", "id": "none"}, {"kind": "hello", "view": 3}):
        browser.bridge.receive(message)
    assert not browser.bridge.views
