"""A turn on the server: what the model hears, and what is saved when."""

import asyncio
import json

import httpx
import pytest

from prodigon_lib.core import sse
from prodigon_lib.core.errors import UpstreamError
from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.url import DatabaseUrl
from tests.integration.gateway.conftest import client_of, error_of, settings_for
from tests.integration.gateway.fakes import TOKENS, USAGE, FakeJobs, FakeModel
from tests.integration.gateway.sessions import SESSIONS, contents, new_session, say
from tests.integration.serving import serving
from tests.polling import eventually


async def turn(http: httpx.AsyncClient, session: str, content: str, **options: object) -> httpx.Response:
    return await http.post(f"{SESSIONS}/{session}/stream", json={"content": content, **options})


async def test_a_whole_turn(http: httpx.AsyncClient, model: FakeModel) -> None:
    id = await new_session(http, system_prompt="Be short.")
    await say(http, id, "One?")
    await say(http, id, "Two.", role="assistant")
    answer = await turn(http, id, "Three?", model="small", max_tokens=5, temperature=0.1)
    assert answer.status_code == 200
    events = list(sse.Parser().feed(answer.content))
    assert [json.loads(event.data) for event in events[:4]] == TOKENS
    assert (events[4].name, json.loads(events[4].data)) == ("usage", USAGE.model_dump())
    assert [event.data for event in events[5:]] == ["[DONE]"]
    (asked,) = model.asked
    assert [(m.role, m.content) for m in asked.conversation()] == [
        ("system", "Be short."),
        ("user", "One?"),
        ("assistant", "Two."),
        ("user", "Three?"),
    ]
    assert (asked.model, asked.max_tokens, asked.temperature) == ("small", 5, 0.1)
    session = (await http.get(f"{SESSIONS}/{id}")).json()
    question, saved = session["messages"][2:]
    assert (question["role"], question["content"]) == ("user", "Three?")
    assert (saved["role"], saved["content"]) == ("assistant", "".join(TOKENS))
    took = saved["meta"].pop("first_token_ms"), saved["meta"].pop("duration_ms")
    assert 0 < took[0] <= took[1]
    assert saved["meta"] == {"model": "small", "usage": USAGE.model_dump()}
    assert (question["id"], saved["id"]) == (
        answer.headers["X-User-Message-ID"],
        answer.headers["X-Assistant-Message-ID"],
    )


async def test_the_turns_own_system_prompt_wins(http: httpx.AsyncClient, model: FakeModel) -> None:
    id = await new_session(http, system_prompt="Be short.")
    await turn(http, id, "x", system_prompt="Be long.")
    await turn(http, id, "x", system_prompt="")
    await turn(http, id, "x")
    assert [asked.system_prompt for asked in model.asked] == ["Be long.", "", "Be short."]


async def test_the_question_is_saved_before_the_model_is_asked(database: DatabaseUrl) -> None:
    model = FakeModel()
    app = create_app(settings_for(database), model=model, jobs=FakeJobs())
    chats = app.state.collaborators.chats
    seen: list[int] = []
    async with serving(app) as url, client_of(url) as http:
        id = await new_session(http)
        stream = model.forward_stream

        async def look_first(body: bytes):
            async with chats._database.transaction():
                page = await chats.page(DEFAULT_USER_ID, limit=1, cursor=None, search=None)
            seen.append(page.sessions[0].message_count)
            async for piece in stream(body):
                yield piece

        model.forward_stream = look_first
        assert (await turn(http, id, "x")).status_code == 200
    assert seen == [1]


@pytest.mark.parametrize("after", [0, 2])
async def test_a_partial_answer_is_not_saved(after: int, http: httpx.AsyncClient, model: FakeModel) -> None:
    id = await new_session(http)
    model.fault, model.fault_after = UpstreamError("it broke"), after
    answer = await turn(http, id, "Hello?")
    if after == 0:
        assert (answer.status_code, error_of(answer)["code"]) == (502, "UPSTREAM_ERROR")
    else:
        assert answer.status_code == 200
        assert b"event: error" in answer.content
        assert b"[DONE]" not in answer.content
    assert await contents(http, id) == ["Hello?"]


async def test_a_stream_without_its_end_is_not_saved(http: httpx.AsyncClient, model: FakeModel) -> None:
    id = await new_session(http)
    model.pieces = [sse.token_bytes("half")]
    answer = await turn(http, id, "Hello?")
    assert b"event: error" in answer.content
    assert await contents(http, id) == ["Hello?"]


async def test_a_client_that_leaves_saves_no_answer(database: DatabaseUrl) -> None:
    model = FakeModel()
    closed: list[bool] = []

    async def endless(body: bytes):
        try:
            yield sse.token_bytes("one")
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    model.forward_stream = endless
    app = create_app(settings_for(database), model=model, jobs=FakeJobs())
    async with serving(app) as url, client_of(url) as http:
        id = await new_session(http)
        async with http.stream("POST", f"{SESSIONS}/{id}/stream", json={"content": "x"}) as answer:
            assert await anext(answer.aiter_raw()) == sse.token_bytes("one")
        await eventually(lambda: closed, within=1)
        assert await contents(http, id) == ["x"]


async def test_an_answer_whose_question_was_deleted_is_not_saved(
    http: httpx.AsyncClient, model: FakeModel
) -> None:
    id = await new_session(http)

    async def interrupted(body: bytes):
        yield sse.token_bytes("one")
        (question,) = (await http.get(f"{SESSIONS}/{id}")).json()["messages"]
        await http.delete(f"{SESSIONS}/{id}/messages/{question['id']}")
        yield sse.usage_bytes(USAGE) + sse.DONE

    model.forward_stream = interrupted
    answer = await turn(http, id, "x")
    assert b"event: error" in answer.content
    assert await contents(http, id) == []


async def test_the_history_keeps_to_its_limits(database: DatabaseUrl) -> None:
    model = FakeModel()
    settings = settings_for(database, chat_history_messages=4, chat_history_characters=1000)
    async with serving(create_app(settings, model=model, jobs=FakeJobs())) as url, client_of(url) as http:
        id = await new_session(http)
        for text in ("a", "b", "c", "d"):
            await say(http, id, text)
        await turn(http, id, "e")
        other = await new_session(http)
        await say(http, other, "x" * 600)
        await say(http, other, "y" * 600)
        await turn(http, other, "z" * 300)
        await turn(http, other, "w" * 5000)
    heard = [[message.content[:1] for message in asked.messages or []] for asked in model.asked]
    assert heard == [["b", "c", "d", "e"], ["y", "z"], ["w"]]


async def test_an_empty_answer_does_not_spoil_the_next_turn(
    http: httpx.AsyncClient, model: FakeModel
) -> None:
    id = await new_session(http)
    model.pieces = [sse.usage_bytes(USAGE), sse.DONE]
    assert b"[DONE]" in (await turn(http, id, "first")).content
    model.pieces = None
    assert b"[DONE]" in (await turn(http, id, "second")).content
    assert [message.content for message in model.asked[1].messages or []] == ["first", "second"]
