"""Chats as a page asks for them: turns, stops, faults, and what of them is kept."""

import asyncio

import pytest

from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.widgets.bridge import Bridge
from prodigon_lib.widgets.chat.desk import ChatDesk, title_of
from prodigon_lib.widgets.target import Target
from tests.integration.gateway.fakes import TOKENS
from tests.integration.widgets.conftest import Chat
from tests.widget_browser import FakeBrowser

WHOLE = "".join(TOKENS)


async def test_a_turn_makes_its_session_and_is_told_token_by_token(chat: Chat) -> None:
    answer = await chat.ask("What is a queue?", "t1")
    turn = await chat.state("t1", "done")
    assert answer["made"]["title"] == "What is a queue?"
    assert chat.text("t1") == WHOLE
    assert turn["length"] == len(WHOLE)
    assert 0 < turn["meta"]["first_token_ms"] <= turn["meta"]["duration_ms"]
    messages = (await chat.browser.answer("open", session=answer["session"]))["session"]["messages"]
    assert [(m["id"], m["role"]) for m in messages] == [
        (turn["question_id"], "user"),
        (turn["answer_id"], "assistant"),
    ]


async def test_the_whole_history_goes_to_the_model(chat: Chat) -> None:
    session = (await chat.ask("One?", "t1", system_prompt="Be short."))["session"]
    await chat.state("t1", "done")
    await chat.ask("Two?", "t2", session=session)
    await chat.state("t2", "done")
    turns = [(m.role.value, m.content) for m in chat.model.asked[-1].conversation()]
    assert turns == [("system", "Be short."), ("user", "One?"), ("assistant", WHOLE), ("user", "Two?")]


async def test_settings_go_with_each_ask(chat: Chat) -> None:
    await chat.browser.answer("settings", options={"model": "small", "temperature": 0.1, "max_tokens": 9})
    await chat.ask("x", "t1")
    await chat.state("t1", "done")
    asked = chat.model.asked[-1]
    assert (asked.model, asked.temperature, asked.max_tokens) == ("small", 0.1, 9)


async def test_a_stop_keeps_what_was_written(chat: Chat) -> None:
    chat.model.go.clear()
    session = (await chat.ask("x", "t1"))["session"]
    await chat.state("t1", "streaming")
    await asyncio.wait_for(chat.browser.answer("stop", session=session), 10)
    turn = await chat.state("t1", "stopped")
    assert await chat.messages(session) == [("user", "x"), ("assistant", TOKENS[0])]
    assert (turn["meta"]["stopped"], turn["meta"]["tokens"]) == (True, 1)


async def test_a_fault_is_told_and_asking_again_replaces_its_question(chat: Chat) -> None:
    chat.model.fault, chat.model.fault_after = UpstreamUnavailable("the model service is away"), 0
    session = (await chat.ask("x", "t1"))["session"]
    failed = await chat.state("t1", "failed")
    fault = failed["fault"]
    assert failed["question_id"]
    assert (fault["code"], fault["retryable"]) == ("SERVICE_UNAVAILABLE", True)
    assert fault["request_id"]
    chat.model.fault = None
    await chat.browser.answer("again", session=session, turn="t2")
    await chat.state("t2", "done")
    assert await chat.messages(session) == [("user", "x"), ("assistant", WHOLE)]


async def test_a_cut_answer_is_not_kept_and_its_text_stays_to_be_seen(chat: Chat) -> None:
    chat.model.fault, chat.model.fault_after = UpstreamUnavailable("cut"), 2
    session = (await chat.ask("x", "t1"))["session"]
    await chat.state("t1", "failed")
    opened = await chat.browser.answer("open", session=session)
    assert [m["role"] for m in opened["session"]["messages"]] == ["user"]
    assert (opened["turn"]["state"], opened["turn"]["text"]) == ("failed", "".join(TOKENS[:2]))


async def test_a_question_that_never_arrived_can_be_asked_again() -> None:
    browser = FakeBrowser()
    desk = ChatDesk(Target("http://127.0.0.1:9"), browser.bridge)
    browser.serve(desk.handlers())
    fault = await browser.answer("ask", content="x", turn="t1")
    assert (fault["code"], fault["retryable"]) == ("SERVICE_UNAVAILABLE", True)
    await browser.bridge.close()
    await desk.close()


async def test_edit_and_resend_forgets_what_followed(chat: Chat) -> None:
    session = (await chat.ask("One?", "t1"))["session"]
    first = await chat.state("t1", "done")
    await chat.ask("Two?", "t2", session=session)
    await chat.state("t2", "done")
    await chat.ask("Another?", "t3", session=session, replace=first["question_id"])
    await chat.state("t3", "done")
    assert await chat.messages(session) == [("user", "Another?"), ("assistant", WHOLE)]


async def test_one_answer_at_a_time(chat: Chat) -> None:
    chat.model.go.clear()
    session = (await chat.ask("x", "t1"))["session"]
    await chat.state("t1", "streaming")
    assert (await chat.ask("y", "t2", session=session))["code"] == "CONFLICT"
    chat.model.go.set()
    await chat.state("t1", "done")
    assert [content for _, content in await chat.messages(session)] == ["x", WHOLE]


async def test_a_view_that_comes_later_misses_nothing(chat: Chat) -> None:
    """Snapshot and what follows it fit together, wherever the answer stands."""
    chat.model.go.clear()
    session = (await chat.ask("x", "t1"))["session"]
    await chat.state("t1", "streaming")
    opened = await chat.browser.answer("open", session=session)
    seen = len(chat.browser.events("text"))
    chat.model.go.set()
    await chat.state("t1", "done")
    later = chat.browser.events("text")[seen:]
    assert later[0]["value"]["at"] == len(opened["turn"]["text"])
    assert opened["turn"]["text"] + "".join(event["text"] for event in later) == WHOLE


async def test_an_answer_goes_on_without_a_view(chat: Chat) -> None:
    chat.model.go.clear()
    session = (await chat.ask("x", "t1"))["session"]
    await chat.state("t1", "streaming")
    chat.browser.say("bye", view="v")
    assert not chat.browser.bridge.views
    chat.model.go.set()
    await chat.state("t1", "done")
    assert await chat.messages(session) == [("user", "x"), ("assistant", WHOLE)]


async def test_sessions_are_searched_renamed_and_deleted(chat: Chat) -> None:
    kept = (await chat.ask("About leases", "t1"))["session"]
    gone = (await chat.ask("About retries", "t2"))["session"]
    await chat.state("t1", "done")
    await chat.state("t2", "done")
    await chat.browser.answer("change", session=kept, title="Leases")
    await chat.browser.answer("delete", session=gone)
    items = (await chat.browser.answer("sessions"))["items"]
    assert [(item["id"], item["title"]) for item in items] == [(kept, "Leases")]
    assert (await chat.browser.answer("sessions", q="lease"))["items"] == items
    assert (await chat.browser.answer("sessions", q="retries"))["items"] == []
    assert chat.browser.events("deleted")[0]["value"] == {"session": gone}


async def test_closing_ends_a_turn_and_leaves_no_task(chat: Chat) -> None:
    before = {task for task in asyncio.all_tasks() if "panel" in task.get_name()}
    chat.model.go.clear()
    await chat.ask("x", "t1")
    await chat.state("t1", "streaming")
    await chat.browser.bridge.close()
    await chat.desk.close()
    assert {task for task in asyncio.all_tasks() if "panel" in task.get_name()} == before
    assert not chat.desk._turns._tasks


async def test_the_banner_hears_of_a_gateway_that_is_away() -> None:
    browser = FakeBrowser()
    desk = ChatDesk(Target("http://127.0.0.1:9"), browser.bridge)
    browser.serve(desk.handlers(), desk.chores())
    browser.say("hello", view="v")
    event = (await browser.heard("event"))["value"]
    assert "gateway" in event["away"]
    await browser.bridge.close()
    await desk.close()


@pytest.mark.parametrize(
    ("content", "title"),
    [("  What\nis it? ", "What is it?"), ("x" * 100, "x" * 59 + "…"), ("a" * 60, "a" * 60)],
)
def test_a_title_is_how_the_question_begins(content: str, title: str) -> None:
    assert title_of(content) == title


def test_a_bridge_is_made_without_a_loop() -> None:
    assert not Bridge(lambda message, buffers: None).views
