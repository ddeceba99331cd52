"""Who sends the attacks: requests to loopback alone, counted, timed and noted."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import httpx

from prodigon_lib.core.redaction import Redactor
from prodigon_lib.core.terminal import plain
from prodigon_lib.workshop.targets import is_loopback

MOST_REQUESTS = 1500
SECONDS = 20.0
SHOWN, KEPT, MOST_READ = 110, 6, 1000


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as a transcript shows them."""

    request: str
    answer: str


@dataclass(frozen=True)
class Answer:
    """`status` is 0 when the connection broke or nothing came in time."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        try:
            return json.loads(self.text)
        except ValueError:
            return {}


class Raider(AbstractAsyncContextManager["Raider"]):
    """Asks as one of two users, or as nobody.

    Args:
        url: of a gateway.
        users: `victim` and `attacker`, each with the value of their Authorization header; none in a stack
            without accounts.
        doors: URLs of the services behind it, by name.

    Raises:
        ValueError: a URL is not of this machine.
    """

    def __init__(self, url: str, users: Mapping[str, str], doors: Mapping[str, str]) -> None:
        for each in (url, *doors.values()):
            if not is_loopback(urlsplit(each).hostname or ""):
                raise ValueError(f"attacks go to this machine alone, not to {each}")
        self.url, self.users, self.doors = url.rstrip("/"), users, doors
        self.exchanges: list[Exchange] = []
        self.left = MOST_REQUESTS
        self._redactor = Redactor()
        self._redactor.learn(users.values())
        limits = httpx.Limits(max_connections=50)
        self._client = httpx.AsyncClient(timeout=SECONDS, limits=limits, trust_env=False)

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        who: str = "attacker",
        headers: Mapping[str, str] | None = None,
        door: str | None = None,
    ) -> Answer:
        """One request; bytes are sent as they are, all else as JSON.

        Args:
            door: of which service; the gateway if not given.

        Raises:
            RuntimeError: there were too many.
        """
        self._spend(1)
        base = self.url if door is None else self.doors[door].rstrip("/")
        sent = {"Content-Type": "application/json", **(headers or {})}
        if who in self.users and "Authorization" not in sent:
            sent["Authorization"] = self.users[who]
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        try:
            got = await self._client.request(method, base + path, content=content, headers=sent)
            answer = Answer(got.status_code, got.text, got.headers)
        except httpx.HTTPError as error:
            answer = Answer(0, type(error).__name__, {})
        self._note(f"{who}: {method} {path}", content, headers, answer)
        return answer

    async def storm(
        self, path: str, count: int, *, at_once: int, headers: Callable[[], Mapping[str, str]] = dict
    ) -> list[int]:
        """The statuses of many GETs, 0 for what broke or did not come in time.

        They go by aiohttp: httpx takes several times the processor's time, which would be most of a raid's.

        Args:
            headers: draws those of each request.

        Raises:
            RuntimeError: there were too many.
        """
        self._spend(count)
        known = {"Authorization": self.users["attacker"]} if "attacker" in self.users else {}
        limits = aiohttp.ClientTimeout(total=None, sock_connect=SECONDS, sock_read=SECONDS)
        connector = aiohttp.TCPConnector(limit=at_once)
        async with aiohttp.ClientSession(connector=connector, timeout=limits, headers=known) as session:

            async def one() -> int:
                try:
                    async with session.get(self.url + path, headers=headers(), allow_redirects=False) as got:
                        await got.read()
                        return got.status
                except (aiohttp.ClientError, TimeoutError, OSError):
                    return 0

            statuses = await asyncio.gather(*(one() for _ in range(count)))
        counts = ", ".join(f"{number} times {status}" for status, number in Counter(statuses).items())
        self.exchanges.append(Exchange(self._shown(f"attacker: {count} times GET {path}"), counts))
        return statuses

    def _spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise RuntimeError(f"an attack may send {MOST_REQUESTS} requests together with all others")

    def _note(
        self, line: str, content: bytes | None, headers: Mapping[str, str] | None, answer: Answer
    ) -> None:
        if len(self.exchanges) >= KEPT:
            return
        extra = "".join(f" [{name}: {value}]" for name, value in (headers or {}).items())
        asked = f"{line}{extra} {(content or b'')[:MOST_READ].decode(errors='replace')}"
        said = f"{answer.status} {answer.text[:MOST_READ]}"
        self.exchanges.append(Exchange(self._shown(asked), self._shown(said)))

    def _shown(self, text: str) -> str:
        """On one line, shortened, without credentials."""
        text = plain(" ".join(self._redactor.redact(text).split()))
        return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"

    def word(self) -> str:
        """A text that stands nowhere yet."""
        return f"word{secrets.token_hex(8)}"
