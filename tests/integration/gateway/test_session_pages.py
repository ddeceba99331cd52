"""The list of sessions: its order, its pages, what is found in it."""

from datetime import datetime
from uuid import uuid4

import asyncpg
import httpx
import pytest

from prodigon_lib.persistence.cursors import decode_cursor, encode_cursor
from prodigon_lib.persistence.url import DatabaseUrl
from tests.integration.gateway.conftest import error_of
from tests.integration.gateway.sessions import SESSIONS, listed, new_session, say


async def test_what_changed_last_comes_first(http: httpx.AsyncClient) -> None:
    first, second, third = [await new_session(http, title=title) for title in "abc"]
    assert await listed(http) == [third, second, first]
    await say(http, first, "Hello")
    assert await listed(http) == [first, third, second]
    await http.patch(f"{SESSIONS}/{second}", json={"title": "renamed"})
    assert await listed(http) == [second, first, third]


async def test_pages_neither_repeat_nor_skip(http: httpx.AsyncClient, database: DatabaseUrl) -> None:
    ids = [await new_session(http) for _ in range(7)]
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(
        "UPDATE chat_sessions SET updated_at = now()"
    )  # all at one moment: the id decides
    await connection.close()
    seen: list[str] = []
    cursor = None
    while True:
        answer = await http.get(SESSIONS, params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        seen += [session["id"] for session in answer.json()]
        if (cursor := answer.headers.get("X-Next-Cursor")) is None:
            break
        await new_session(http, title="made in between")
    assert seen == sorted(ids, reverse=True)


async def test_a_full_last_page_has_no_next(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        await new_session(http)
    assert "X-Next-Cursor" not in (await http.get(SESSIONS, params={"limit": 2})).headers


CURSORS = ["x", "%%%", "bm90IGEgY3Vyc29y", "é", "9" * 400, "OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzowMCAx"]


@pytest.mark.parametrize("cursor", CURSORS)
async def test_a_malformed_cursor_is_named(cursor: str, direct: httpx.AsyncClient) -> None:
    answer = await direct.get(SESSIONS, params={"cursor": cursor})
    assert (answer.status_code, error_of(answer)["code"]) == (422, "VALIDATION_ERROR")
    assert "cursor" in error_of(answer)["message"]


LIMITS = [("0", 422), ("101", 422), ("-1", 422), ("x", 422), ("1.5", 422)]


@pytest.mark.parametrize(("limit", "status"), LIMITS)
async def test_a_bad_limit_is_named(limit: str, status: int, direct: httpx.AsyncClient) -> None:
    for path in (SESSIONS, "/api/v1/jobs"):
        answer = await direct.get(path, params={"limit": limit})
        assert answer.status_code == status
        assert "limit" in error_of(answer)["message"]


async def test_a_hundred_at_most(http: httpx.AsyncClient) -> None:
    assert (await http.get(SESSIONS, params={"limit": 100})).status_code == 200


async def test_search(http: httpx.AsyncClient) -> None:
    by_title = await new_session(http, title="About Microservices")
    by_message = await new_session(http)
    await say(http, by_message, "Why do MICROservices fail?")
    await say(http, by_message, "microservices again")
    wild = await new_session(http, title="100% under_score")
    assert await listed(http, q="microSERVICES") == [by_message, by_title]
    assert await listed(http, q="0% u") == [wild]
    assert await listed(http, q="under_s") == [wild]
    assert await listed(http, q="underXs") == []
    assert await listed(http, q="%") == [wild]
    assert await listed(http, q="\\") == []
    assert await listed(http, q="'; DROP TABLE users; --") == []
    assert len(await listed(http, q="")) == 3


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00.123456+00:00", "0001-01-01T00:00:00+00:00"])
def test_a_cursor_comes_back(text: str) -> None:
    entry = (datetime.fromisoformat(text), uuid4())
    assert decode_cursor(encode_cursor(*entry)) == entry
