"""Sessions and messages: what is kept, in which order, and at how many statements."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy import event

from prodigon_lib.core.errors import Conflict
from prodigon_lib.core.ids import DEFAULT_USER_ID, SessionId, UserId, new_message_id
from prodigon_lib.core.schemas.chat import MessageCreate, SessionCreate
from prodigon_lib.core.schemas.generate import Role
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.chats import ChatRepository, HistoryLimits
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import DatabaseUrl
from tests.integration.gateway.conftest import client_of, error_of, settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.gateway.sessions import SESSIONS, contents, listed, new_session, say
from tests.integration.locks import waits_for_a_lock
from tests.integration.serving import serving
from tests.polling import eventually


@pytest.mark.parametrize("body", [None, {}])
async def test_a_new_session_has_the_defaults(body: object, http: httpx.AsyncClient) -> None:
    answer = await http.post(SESSIONS, json=body)
    assert answer.status_code == 201
    session = answer.json()
    assert set(session) == {"id", "title", "system_prompt", "created_at", "updated_at", "message_count"}
    assert (session["title"], session["system_prompt"], session["message_count"]) == ("New Chat", None, 0)
    assert session["updated_at"].endswith("Z")


async def test_a_session_with_its_messages(http: httpx.AsyncClient) -> None:
    id = await new_session(http, title="Ünïcode 🙂", system_prompt="Be short.")
    await say(http, id, "One?")
    meta = {"nested": [1, {"two": None}], "big": 12345678901234567890}
    body = {"role": "assistant", "content": "Two.", "meta": meta}
    second = (await http.post(f"{SESSIONS}/{id}/messages", json=body)).json()
    session = (await http.get(f"{SESSIONS}/{id}")).json()
    assert (session["title"], session["system_prompt"], session["message_count"]) == (
        "Ünïcode 🙂",
        "Be short.",
        2,
    )
    assert session["messages"][1] == second
    assert (second["session_id"], second["role"], second["meta"]) == (id, "assistant", meta)
    assert session["messages"][0]["meta"] is None
    assert session["updated_at"] > session["created_at"]


async def test_a_change_keeps_what_is_not_sent(http: httpx.AsyncClient) -> None:
    id = await new_session(http, title="Old", system_prompt="Be short.")
    await say(http, id, "Hello")
    answer = await http.patch(f"{SESSIONS}/{id}", json={"title": "New"})
    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["system_prompt"]) == ("New", "Be short.")
    assert answer.json()["message_count"] == 1
    answer = await http.patch(f"{SESSIONS}/{id}", json={"system_prompt": None, "title": None})
    assert (answer.json()["title"], answer.json()["system_prompt"]) == ("New", None)


async def test_a_deleted_session_takes_its_messages(http: httpx.AsyncClient, database: DatabaseUrl) -> None:
    id = await new_session(http)
    await say(http, id, "Hello")
    answer = await http.delete(f"{SESSIONS}/{id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await http.get(f"{SESSIONS}/{id}")).status_code == 404
    connection = await asyncpg.connect(database.dsn)
    assert await connection.fetchval("SELECT count(*) FROM chat_messages") == 0
    await connection.close()


async def test_delete_from_a_message_on(http: httpx.AsyncClient) -> None:
    id, other = await new_session(http), await new_session(http)
    messages = [await say(http, id, text) for text in ("one", "two", "three", "four")]
    await say(http, other, "stays")
    answer = await http.delete(f"{SESSIONS}/{id}/messages/{messages[2]}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await contents(http, id) == ["one", "two"]
    assert await contents(http, other) == ["stays"]
    gone = await http.delete(f"{SESSIONS}/{id}/messages/{messages[2]}")
    assert (gone.status_code, error_of(gone)["code"]) == (404, "MESSAGE_NOT_FOUND")
    elsewhere = await http.delete(f"{SESSIONS}/{other}/messages/{messages[0]}")
    assert (elsewhere.status_code, error_of(elsewhere)["code"]) == (404, "MESSAGE_NOT_FOUND")
    assert await contents(http, id) == ["one", "two"]


BAD_BODIES = [
    ("post", "", {"title": "x" * 201}, "title"),
    ("post", "", {"title": "a\x00"}, "title"),
    ("post", "", {"title": None}, "title"),
    ("post", "", {"system_prompt": "\x00"}, "system_prompt"),
    ("patch", "/{id}", {"title": "x" * 201}, "title"),
    ("post", "/{id}/messages", {"role": "user"}, "content"),
    ("post", "/{id}/messages", {"role": "user", "content": ""}, "content"),
    ("post", "/{id}/messages", {"role": "user", "content": "\x00"}, "content"),
    ("post", "/{id}/messages", {"role": "user", "content": "x" * 64_001}, "content"),
    ("post", "/{id}/messages", {"role": "tool", "content": "x"}, "role"),
    ("post", "/{id}/messages", {"role": "user", "content": "x", "meta": []}, "meta"),
    ("post", "/{id}/messages", {"role": "user", "content": "x", "meta": {"a": ["\x00"]}}, "meta"),
    ("post", "/{id}/messages", {"role": "user", "content": "x", "meta": {"\x00": 1}}, "meta"),
    ("post", "/{id}/stream", {}, "content"),
    ("post", "/{id}/stream", {"content": ""}, "content"),
    ("post", "/{id}/stream", {"content": "x", "max_tokens": 8193}, "max_tokens"),
    ("post", "/{id}/stream", {"content": "x", "temperature": 3}, "temperature"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD_BODIES, ids=range(len(BAD_BODIES)))
async def test_a_bad_field_is_named(
    method: str, path: str, body: object, field: str, direct: httpx.AsyncClient
) -> None:
    answer = await direct.request(method, SESSIONS + path.format(id=uuid4()), json=body)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "VALIDATION_ERROR")
    assert field in error_of(answer)["message"]


UNSTORABLE = ['{"a": "\\ud800"}', '{"a": NaN}', '{"a": 1e999}', '{"a":' * 200 + "1" + "}" * 200]


@pytest.mark.parametrize("meta", UNSTORABLE, ids=range(len(UNSTORABLE)))
async def test_what_postgres_cannot_hold_is_refused(meta: str, direct: httpx.AsyncClient) -> None:
    body = '{"role": "user", "content": "x", "meta": ' + meta + "}"
    answer = await direct.post(
        f"{SESSIONS}/{uuid4()}/messages", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert "meta" in error_of(answer)["message"]


ONE_SESSION = [
    ("get", "", None),
    ("patch", "", {"title": "x"}),
    ("delete", "", None),
    ("post", "/messages", {"role": "user", "content": "x"}),
    ("post", "/stream", {"content": "x"}),
    ("delete", f"/messages/{uuid4()}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ONE_SESSION)
async def test_a_session_that_is_not_there(
    method: str, path: str, body: object, http: httpx.AsyncClient, model: FakeModel
) -> None:
    answer = await http.request(method, f"{SESSIONS}/{uuid4()}{path}", json=body)
    assert (answer.status_code, error_of(answer)["code"]) == (404, "SESSION_NOT_FOUND")
    bad = await http.request(method, f"{SESSIONS}/not-a-uuid{path}", json=body)
    assert (bad.status_code, error_of(bad)["code"]) == (400, "INVALID_ID")
    assert model.asked == []


async def test_another_users_session_is_not_there(http: httpx.AsyncClient, database: DatabaseUrl) -> None:
    id = await new_session(http)
    message = await say(http, id, "mine")
    connection = await asyncpg.connect(database.dsn)
    stranger = uuid4()
    await connection.execute("INSERT INTO users (id, name) VALUES ($1, 'stranger')", stranger)
    await connection.execute("UPDATE chat_sessions SET user_id = $1", stranger)
    await connection.close()
    for method, path, body in [*ONE_SESSION, ("delete", f"/messages/{message}", None)]:
        answer = await http.request(method, f"{SESSIONS}/{id}{path}", json=body)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "SESSION_NOT_FOUND")
    assert await listed(http) == []
    whole = Database(database)
    assert len((await ChatRepository(whole).get(UserId(stranger), SessionId(UUID(id)))).messages) == 1
    await whole.close()


async def test_statements_do_not_grow_with_what_is_there(database: DatabaseUrl) -> None:
    app = create_app(settings_for(database), model=FakeModel(), jobs=FakeJobs())
    statements: list[str] = []
    engine = app.state.collaborators.database.engine
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    async def count(call: Callable[[], Awaitable[httpx.Response]]) -> int:
        statements.clear()
        assert (await call()).is_success
        return len(statements)

    async with serving(app) as url, client_of(url) as http:
        counts = []
        for _ in range(2):
            id = await new_session(http)
            for number in range(4):
                await say(http, id, f"message {number}")
            counts.append(
                [
                    await count(lambda: http.get(SESSIONS)),
                    await count(lambda: http.get(SESSIONS, params={"q": "message"})),
                    await count(lambda id=id: http.get(f"{SESSIONS}/{id}")),
                    await count(lambda id=id: http.patch(f"{SESSIONS}/{id}", json={"title": "x"})),
                    await count(lambda id=id: http.post(f"{SESSIONS}/{id}/stream", json={"content": "x"})),
                ]
            )
            for number in range(6):
                await say(http, await new_session(http), f"message {number}")
    assert counts[0] == counts[1]
    assert counts[0][:2] == [1, 1]


async def test_an_answer_waits_for_a_deletion_in_progress(database: DatabaseUrl) -> None:
    """Two connections: while one deletes the question, the other may not save its answer."""
    whole = Database(database)
    chats = ChatRepository(whole)
    session = SessionId((await chats.create(DEFAULT_USER_ID, SessionCreate())).id)
    turn = await chats.begin_turn(DEFAULT_USER_ID, session, "x", HistoryLimits())
    first = await asyncpg.connect(database.dsn)
    transaction = first.transaction()
    await transaction.start()
    await first.execute("UPDATE chat_sessions SET updated_at = clock_timestamp() WHERE id = $1", session)
    await first.execute("DELETE FROM chat_messages WHERE id = $1", turn.question_id)
    answering = asyncio.create_task(
        chats.complete_turn(
            DEFAULT_USER_ID,
            session,
            question=turn.question_id,
            answer=new_message_id(),
            content="y",
            meta={},
        )
    )
    await eventually(lambda: waits_for_a_lock(database))
    await transaction.commit()
    with pytest.raises(Conflict):
        await answering
    assert (await chats.get(DEFAULT_USER_ID, session)).messages == []
    for each in (first, whole):
        await each.close()


async def test_a_message_that_waited_does_not_set_the_time_back(database: DatabaseUrl) -> None:
    whole = Database(database)
    chats = ChatRepository(whole)
    session = SessionId((await chats.create(DEFAULT_USER_ID, SessionCreate())).id)
    first = await asyncpg.connect(database.dsn)
    transaction = first.transaction()
    await transaction.start()
    await first.execute("SELECT 1 FROM chat_sessions WHERE id = $1 FOR UPDATE", session)
    message = MessageCreate(role=Role.USER, content="x")
    adding = asyncio.create_task(chats.add_message(DEFAULT_USER_ID, session, message))
    await eventually(lambda: waits_for_a_lock(database))
    between = await first.fetchval(
        "UPDATE chat_sessions SET updated_at = clock_timestamp() WHERE id = $1 RETURNING updated_at", session
    )
    await transaction.commit()
    await adding
    assert (await chats.get(DEFAULT_USER_ID, session)).updated_at > between
    for each in (first, whole):
        await each.close()


async def test_the_pool_is_shown_in_the_metrics(database: DatabaseUrl) -> None:
    app = create_app(settings_for(database, database_pool_size=3), model=FakeModel(), jobs=FakeJobs())
    async with serving(app) as url, client_of(url) as http:

        async def shown(state: str) -> float:
            lines = (await http.get("/metrics")).text.splitlines()
            name = f'prodigon_chat_database_connections{{state="{state}"}} '
            return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))

        assert await shown("open") == 0
        await asyncio.gather(*(http.get(SESSIONS) for _ in range(20)))
        assert 1 <= await shown("open") <= 3
        assert await shown("in_use") == 0
