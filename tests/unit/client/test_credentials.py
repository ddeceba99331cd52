"""What the clients show, and how they renew it, against a gateway that is a function."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier, Event
from typing import Any

import httpx
import pytest

from prodigon_lib.client import AsyncClient, Client
from prodigon_lib.client.credentials import Login, auth_for
from prodigon_lib.core.errors import RateLimited, Unauthenticated, UpstreamError

URL = "http://gateway"
RENEWING_SECONDS = 0.3
BEFORE = 4
"""Requests that are under way when the token runs out."""


class Gateway:
    """Gives out tokens `a1`, `a2`, …; `good` are the access tokens that it takes, `renewable` the others."""

    def __init__(self) -> None:
        self.good: set[str] = set()
        self.renewable: set[str] = set()
        self.asked: list[str] = []
        self.numbers: Iterator[int] = count(1)
        self.refusal: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        body: Any = request.read() and httpx.Response(200, content=request.read()).json()
        if path == "/api/v1/auth/login":
            right = body == {"name": "ada", "password": "correct"}
            return self.refusal or (self.tokens() if right else refused("UNAUTHENTICATED"))
        if path == "/api/v1/auth/refresh":
            if body["refresh_token"] not in self.renewable:
                return refused("UNAUTHENTICATED")
            self.renewable.remove(body["refresh_token"])
            return self.tokens()
        shown = request.headers["Authorization"].removeprefix("Bearer ")
        return httpx.Response(200, text=shown) if shown in self.good else refused("TOKEN_EXPIRED")

    async def later(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # so that others come in between
        return self(request)

    def tokens(self) -> httpx.Response:
        number = next(self.numbers)
        self.good.add(f"a{number}")
        self.renewable.add(f"r{number}")
        return httpx.Response(200, json={"access_token": f"a{number}", "refresh_token": f"r{number}"})

    def calls(self, path: str) -> int:
        return self.asked.count(path)


def refused(code: str) -> httpx.Response:
    return httpx.Response(401, json={"error": {"code": code, "message": "no", "request_id": "1"}})


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def client_of(gateway: Gateway, password: str = "correct") -> httpx.Client:
    return httpx.Client(auth=Login(URL, "ada", password), transport=httpx.MockTransport(gateway))


def test_it_logs_in_once_and_when_it_is_needed(gateway: Gateway) -> None:
    with client_of(gateway) as client:
        assert gateway.asked == []
        assert [client.get(f"{URL}/thing").text for _ in range(3)] == ["a1"] * 3
    assert gateway.calls("/api/v1/auth/login") == 1


def test_a_token_that_expired_is_renewed_and_the_request_sent_again(gateway: Gateway) -> None:
    with client_of(gateway) as client:
        client.get(f"{URL}/thing")
        gateway.good.clear()
        assert client.post(f"{URL}/thing", json={"a": 1}).text == "a2"
        assert client.get(f"{URL}/thing").text == "a2"
    assert gateway.calls("/api/v1/auth/refresh") == 1
    assert gateway.calls("/api/v1/auth/login") == 1


def test_a_login_that_can_not_be_renewed_is_made_again(gateway: Gateway) -> None:
    with client_of(gateway) as client:
        client.get(f"{URL}/thing")
        gateway.good.clear()
        gateway.renewable.clear()
        assert client.get(f"{URL}/thing").text == "a2"
    assert gateway.calls("/api/v1/auth/login") == 2


def test_only_an_expired_token_is_renewed(gateway: Gateway) -> None:
    with client_of(gateway) as client:
        client.get(f"{URL}/thing")
        answers = httpx.MockTransport(lambda _: refused("UNAUTHENTICATED"))
        client._transport = answers
        assert client.get(f"{URL}/thing").status_code == 401
    assert gateway.calls("/api/v1/auth/refresh") == 0


def test_a_login_that_was_ended_is_made_again_by_the_next_request(gateway: Gateway) -> None:
    with client_of(gateway) as client:
        client.get(f"{URL}/thing")
        answers, client._transport = (
            client._transport,
            httpx.MockTransport(lambda _: refused("UNAUTHENTICATED")),
        )
        assert client.get(f"{URL}/thing").status_code == 401
        client._transport = answers
        assert client.get(f"{URL}/thing").text == "a2"
    assert (gateway.calls("/api/v1/auth/login"), gateway.calls("/api/v1/auth/refresh")) == (2, 0)


def test_a_request_whose_login_another_one_found_ended_logs_in_too() -> None:
    login, request = Login(URL, "ada", "correct"), httpx.Request("GET", f"{URL}/thing")
    tokens = httpx.Response(200, json={"access_token": "a", "refresh_token": "r"})
    for late in (False, True):
        steps = login.sync_auth_flow(request)
        asked = next(steps)
        if late:
            login._forget("a")
            asked = steps.send(refused("TOKEN_EXPIRED"))
        assert asked.url.path == "/api/v1/auth/login"
        assert steps.send(tokens).headers["Authorization"] == "Bearer a"


async def test_whether_anybody_is_there_is_asked_without_a_login() -> None:
    with Client(URL, user="ada", password="wrong") as client:
        client._http._transport = httpx.MockTransport(health)
        assert client.health().service == "gateway"
    async with AsyncClient(URL, user="ada", password="wrong") as client_too:
        client_too._http._transport = httpx.MockTransport(health)
        assert (await client_too.health()).service == "gateway"


def health(request: httpx.Request) -> httpx.Response:
    """Takes nothing else, no login either."""
    assert (request.url.path, "Authorization" in request.headers) == ("/health", False)
    document = {"status": "healthy", "service": "gateway", "version": "1", "environment": "development"}
    return httpx.Response(200, json=document)


def test_a_token_is_renewed_once_for_a_request(gateway: Gateway) -> None:
    with client_of(gateway) as client:
        client.get(f"{URL}/thing")
        gateway.good = frozenset()  # type: ignore[assignment]
        gateway.tokens = lambda: httpx.Response(  # type: ignore[method-assign]
            200, json={"access_token": "late", "refresh_token": "r"}
        )
        assert client.get(f"{URL}/thing").status_code == 401
    assert gateway.calls("/api/v1/auth/refresh") == 1


def test_many_threads_renew_once(gateway: Gateway) -> None:
    """A second one has time to come while one renews; it must not."""
    together = Barrier(BEFORE)
    give = gateway.tokens

    def slowly() -> httpx.Response:
        Event().wait(RENEWING_SECONDS)
        return give()

    gateway.tokens = slowly  # type: ignore[method-assign]

    def ask() -> str:
        together.wait(10)
        return client.get(f"{URL}/thing").text

    with client_of(gateway) as client, ThreadPoolExecutor(BEFORE) as threads:
        assert {made.result() for made in [threads.submit(ask) for _ in range(BEFORE)]} == {"a1"}
        gateway.good.clear()
        assert {made.result() for made in [threads.submit(ask) for _ in range(BEFORE)]} == {"a2"}
    assert (gateway.calls("/api/v1/auth/login"), gateway.calls("/api/v1/auth/refresh")) == (1, 1)


async def test_many_tasks_renew_once(gateway: Gateway) -> None:
    transport = httpx.MockTransport(gateway.later)
    async with httpx.AsyncClient(auth=Login(URL, "ada", "correct"), transport=transport) as client:

        async def ask() -> set[str]:
            answers = await asyncio.gather(*(client.get(f"{URL}/thing") for _ in range(50)))
            return {answer.text for answer in answers}

        assert await ask() == {"a1"}
        gateway.good.clear()
        assert await ask() == {"a2"}
    assert (gateway.calls("/api/v1/auth/login"), gateway.calls("/api/v1/auth/refresh")) == (1, 1)


def test_a_wrong_password_says_so_and_the_next_request_tries_again(gateway: Gateway) -> None:
    with client_of(gateway, "wrong") as client:
        for _ in range(2):
            with pytest.raises(Unauthenticated):
                client.get(f"{URL}/thing")
    assert gateway.asked == ["/api/v1/auth/login"] * 2


def test_what_else_a_login_meets_is_told_as_it_is(gateway: Gateway) -> None:
    gateway.refusal = httpx.Response(
        429, json={"error": {"code": "RATE_LIMITED", "message": "wait", "request_id": "1"}}
    )
    with client_of(gateway) as client, pytest.raises(RateLimited):
        client.get(f"{URL}/thing")
    gateway.refusal = httpx.Response(200, text="<html>")
    with client_of(gateway) as client, pytest.raises(UpstreamError, match="no Prodigon gateway"):
        client.get(f"{URL}/thing")


@pytest.mark.parametrize(
    "given", [("key", "ada", "correct"), ("key", "ada", None), (None, "ada", None), (None, None, "correct")]
)
def test_half_a_credential_or_two_are_none(given: tuple[str | None, ...]) -> None:
    with pytest.raises(ValueError, match="give an api_key"):
        auth_for(URL, *given)


def test_an_api_key_is_shown_as_it_is(gateway: Gateway) -> None:
    gateway.good.add("pdg_key")
    with httpx.Client(
        auth=auth_for(URL, "pdg_key", None, None), transport=httpx.MockTransport(gateway)
    ) as http:
        assert http.get(f"{URL}/thing").text == "pdg_key"
    assert auth_for(URL, None, None, None) is None
    assert auth_for(URL, "", None, None) is None


def test_no_secret_is_in_a_repr() -> None:
    assert "correct" not in repr(Login(URL, "ada", "correct"))
