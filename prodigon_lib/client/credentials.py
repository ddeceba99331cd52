"""What a client shows the gateway: an API key, or the tokens of a login that it renews by itself.

A password is sent when the first request is, and again only when the login can't be renewed any more, or was
ended by somebody: the request that meets that fails, and the next one logs in. Of many requests that meet an
expired token at once, one renews it and the others wait: a refresh token is good once, and shown twice it
ends the login.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator

import httpx
import orjson

from prodigon_lib.client.wire import error_from
from prodigon_lib.core.errors import Unauthenticated, UpstreamError

LOGIN, REFRESH = "/api/v1/auth/login", "/api/v1/auth/refresh"
EXPIRED = "TOKEN_EXPIRED"

Steps = Generator[httpx.Request, httpx.Response, None]


class ApiKey(httpx.Auth):
    def __init__(self, key: str) -> None:
        self._header = f"Bearer {key}"

    def auth_flow(self, request: httpx.Request) -> Steps:
        request.headers["Authorization"] = self._header
        yield request


class Login(httpx.Auth):
    """Logs in at the first request, and renews the tokens when one has expired; safe among threads and tasks.

    Raises (into the request):
        Unauthenticated: the name or the password is wrong.
    """

    def __init__(self, base_url: str, user: str, password: str) -> None:
        self._base, self._user, self._password = base_url.rstrip("/"), user, password
        self._access: str | None = None
        self._refresh: str | None = None
        self._one_thread, self._one_task = threading.Lock(), asyncio.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Steps:
        used = self._access
        if used is not None:
            response = yield self._signed(request)
            if response.status_code != Unauthenticated.status:
                return
            response.read()
            if not expired(response):
                self._forget(used)
                return
        with self._one_thread:
            steps = self._renewal(request, used)
            asked = next(steps, None)
            while asked is not None:
                answer = yield asked
                answer.read()
                asked = following(steps, answer)
        yield self._signed(request)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        used = self._access
        if used is not None:
            response = yield self._signed(request)
            if response.status_code != Unauthenticated.status:
                return
            await response.aread()
            if not expired(response):
                self._forget(used)
                return
        async with self._one_task:
            steps = self._renewal(request, used)
            asked = next(steps, None)
            while asked is not None:
                answer = yield asked
                await answer.aread()
                asked = following(steps, answer)
        yield self._signed(request)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._access}"
        return request

    def _forget(self, used: str) -> None:
        """Its login has ended before its time: the next request makes another one."""
        if self._access == used:
            self._access = self._refresh = None

    def _renewal(self, request: httpx.Request, used: str | None) -> Steps:
        """What has to be asked for another token than `used`; nothing, when somebody did so meanwhile."""
        if self._access not in (None, used):
            return
        if self._refresh is not None:
            answer = yield self._asking(REFRESH, {"refresh_token": self._refresh}, request)
            if answer.status_code != Unauthenticated.status:
                self._keep(answer)
                return
        answer = yield self._asking(LOGIN, {"name": self._user, "password": self._password}, request)
        self._keep(answer)

    def _asking(self, path: str, document: dict[str, str], request: httpx.Request) -> httpx.Request:
        """In the time that the request itself has."""
        return httpx.Request("POST", self._base + path, json=document, extensions=request.extensions)

    def _keep(self, answer: httpx.Response) -> None:
        if answer.status_code >= 400:
            raise error_from(answer)
        try:
            tokens = orjson.loads(answer.content)
            self._access, self._refresh = str(tokens["access_token"]), str(tokens["refresh_token"])
        except (ValueError, LookupError, TypeError):
            raise UpstreamError(f"what answers at {self._base} is no Prodigon gateway") from None


def following(steps: Steps, answer: httpx.Response) -> httpx.Request | None:
    try:
        return steps.send(answer)
    except StopIteration:
        return None


def expired(response: httpx.Response) -> bool:
    return error_from(response).code == EXPIRED


def auth_for(
    base_url: str, api_key: str | None = None, user: str | None = None, password: str | None = None
) -> httpx.Auth | None:
    """For httpx's `auth`.

    Raises:
        ValueError: both kinds of credential are given, or half of one.
    """
    if (user is None) != (password is None) or (user is not None and api_key is not None):
        raise ValueError("give an api_key, or a user and a password, or none of them")
    if user is not None and password is not None:
        return Login(base_url, user, password)
    return ApiKey(api_key) if api_key else None
