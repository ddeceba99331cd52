"""A panel as a widget object, without a page: what it starts, and that it ends."""

import asyncio
from typing import Any

import pytest

from prodigon_lib.core.errors import BadRequest
from prodigon_lib.widgets import ChatPanel
from prodigon_lib.widgets.background import shared_background
from tests.polling import eventually_sync

NOWHERE = "http://127.0.0.1:9"


def tasks_in_background() -> int:
    async def count() -> int:
        return len([task for task in asyncio.all_tasks() if task is not asyncio.current_task()])

    return shared_background().submit(count()).result(5)


def shown(monkeypatch: pytest.MonkeyPatch) -> tuple[ChatPanel, list[dict[str, Any]]]:
    panel = ChatPanel(NOWHERE)
    got: list[dict[str, Any]] = []
    monkeypatch.setattr(panel, "send", lambda message, buffers=None: got.extend(message["batch"]))
    return panel, got


def say(panel: ChatPanel, **message: Any) -> None:
    panel._handle_custom_msg(message, [])


def test_nothing_runs_before_a_page_shows_it_nor_after_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tasks_in_background()
    for _ in range(5):
        panel, got = shown(monkeypatch)
        assert tasks_in_background() == before
        say(panel, kind="hello", view="one")
        say(panel, kind="hello", view="two")
        eventually_sync(lambda got=got: any(m["kind"] == "event" for m in got))
        assert tasks_in_background() > before
        panel.close()
        assert tasks_in_background() == before


def test_a_panel_that_nobody_looks_at_any_more_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tasks_in_background()
    panel, got = shown(monkeypatch)
    for _ in range(3):
        say(panel, kind="hello", view="one")
        eventually_sync(lambda: tasks_in_background() > before)
        say(panel, kind="bye", view="one")
        eventually_sync(lambda: tasks_in_background() == before)
    panel.close()
    assert got


def test_it_says_what_it_takes() -> None:
    with pytest.raises(BadRequest, match="a Stack or a URL"):
        ChatPanel("localhost")


def test_where_no_widget_is_shown_there_are_words(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, _ = shown(monkeypatch)
    bundle = panel._repr_mimebundle_()
    assert bundle is not None
    assert bundle[0]["text/plain"] == f"The chat of {NOWHERE}: run this cell to see it."
    assert repr(panel) == f"ChatPanel({NOWHERE!r})"
    panel.close()


def test_a_credential_stays_in_the_kernel() -> None:
    panel = ChatPanel(NOWHERE, user="ada", password="hush-hush")
    try:
        assert panel.target.credential == {"user": "ada", "password": "hush-hush"}
        for told in (panel.get_state(), panel._repr_mimebundle_(), panel, panel.target):
            assert "hush" not in repr(told)
    finally:
        panel.close()
