"""Sessions and messages, as a client makes and reads them."""

import httpx

SESSIONS = "/api/v1/chat/sessions"


async def new_session(http: httpx.AsyncClient, **fields: object) -> str:
    answer = await http.post(SESSIONS, json=fields)
    assert answer.status_code == 201
    return answer.json()["id"]


async def say(http: httpx.AsyncClient, session: str, content: str, role: str = "user") -> str:
    answer = await http.post(f"{SESSIONS}/{session}/messages", json={"role": role, "content": content})
    assert answer.status_code == 201
    return answer.json()["id"]


async def contents(http: httpx.AsyncClient, session: str) -> list[str]:
    return [message["content"] for message in (await http.get(f"{SESSIONS}/{session}")).json()["messages"]]


async def listed(http: httpx.AsyncClient, **params: object) -> list[str]:
    return [session["id"] for session in (await http.get(SESSIONS, params=params)).json()]
