"""Callers of a gateway who give up in time, and judge what they get by the contract."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

PATIENCE = 25.0
"""Seconds until a caller must have been answered, whatever goes on."""

GENERATE = "/api/v1/generate"
STREAM = "/api/v1/generate/stream"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a caller got. `status` is 0 when the connection was refused, or broke; `broke` says how."""

    status: int
    code: str = ""
    body: bytes = b""
    seconds: float = 0.0
    tokens: int = 0
    broke: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300 and not self.code

    def json(self) -> Any:
        return orjson.loads(self.body)


class Callers:
    """Any number of them, on one gateway."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Outcome:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                async with self._session.request(method, path, json=body, headers=headers) as answer:
                    return judged(answer, await answer.read(), time.perf_counter() - began)
        except TimeoutError:
            raise AssertionError(f"{method} {path} was not answered within {PATIENCE:g} s") from None
        except aiohttp.ClientError as error:
            return Outcome(0, broke=repr(error), seconds=time.perf_counter() - began)

    async def post(self, path: str, body: Any, **headers: str) -> Outcome:
        return await self.call("POST", path, body, {name.replace("_", "-"): v for name, v in headers.items()})

    async def stream(
        self, body: Any, *, path: str = STREAM, leave_after: int | None = None, pause: float = 0.0
    ) -> Outcome:
        """A stream to its end, or to the token after which this caller leaves.

        Args:
            pause: seconds between two reads.
        """
        seen = b""
        try:
            async with asyncio.timeout(PATIENCE):
                async with self._session.post(path, json=body) as answer:
                    if answer.status != 200:
                        return judged(answer, await answer.read(), 0.0)
                    while chunk := await answer.content.read(512 if pause else 65536):
                        seen += chunk
                        if leave_after is not None and tokens_in(seen) >= leave_after:
                            answer.close()
                            return Outcome(200, tokens=tokens_in(seen), broke="left")
                        if pause:
                            await asyncio.sleep(pause)
        except TimeoutError:
            raise AssertionError(f"a stream did not end within {PATIENCE:g} s") from None
        except aiohttp.ClientError as error:
            return Outcome(0, body=seen, tokens=tokens_in(seen), broke=repr(error))
        return ended(seen)


def tokens_in(seen: bytes) -> int:
    return seen.count(b'data: "')


def ended(seen: bytes) -> Outcome:
    """A stream's end as the contract has it: `[DONE]`, or an error event and no `[DONE]`."""
    if seen.endswith(b"data: [DONE]\n\n"):
        assert b"event: error" not in seen
        return Outcome(200, body=seen, tokens=tokens_in(seen))
    head, found, last = seen.rpartition(b"event: error\ndata: ")
    assert found, f"a stream ended without a word: {seen[-200:]!r}"
    return Outcome(200, code=envelope(orjson.loads(last)), body=head, tokens=tokens_in(seen))


def judged(answer: aiohttp.ClientResponse, body: bytes, seconds: float) -> Outcome:
    if answer.status < 400:
        return Outcome(answer.status, body=body, seconds=seconds)
    code = envelope(orjson.loads(body))
    if answer.status == 429:
        assert int(answer.headers["Retry-After"]) >= 1
    return Outcome(answer.status, code, body, seconds)


def envelope(document: Any) -> str:
    """The code in it. Fails when it is none."""
    assert set(document) == {"error"}, document
    assert set(document["error"]) == {"code", "message", "request_id"}, document
    assert all(isinstance(value, str) and value for value in document["error"].values()), document
    code: str = document["error"]["code"]
    assert code == code.upper()
    return code


@asynccontextmanager
async def callers(url: str) -> AsyncIterator[Callers]:
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        yield Callers(session)
