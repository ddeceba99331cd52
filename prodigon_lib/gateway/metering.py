"""A model and a job queue that count against a user's tokens."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson

from prodigon_lib.core import sse
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.ids import UserId
from prodigon_lib.core.schemas.generate import (
    DEFAULT_MAX_TOKENS,
    GenerateRequest,
    GenerateResponse,
    ModelCard,
    Usage,
)
from prodigon_lib.core.schemas.jobs import JobSubmission, JobView
from prodigon_lib.security.quotas import Quotas, estimate
from prodigon_lib.transport.jobs import JobsClient
from prodigon_lib.transport.model import ModelClient, encode

USAGE_MARK = b"event: usage\ndata: "
LONGEST_END = 1024
"""Bytes: the usage and `[DONE]` are shorter."""


class MeteredModel:
    """A `ModelClient` on behalf of one user.

    An answer that did not come costs nothing. One that was given up is paid as if it were whole, since nobody
    says what it took; a stream that was cut, as far as it came. All calls raise QuotaExceeded too.
    """

    def __init__(self, model: ModelClient, quotas: Quotas, user: UserId) -> None:
        self._model, self._quotas, self._user = model, quotas, user

    async def forward(self, body: bytes) -> bytes:
        reserved = await self._quotas.reserve(self._user, most_of(body))
        used = reserved.tokens
        try:
            answer = await self._model.forward(body)
            used = orjson.loads(answer)["usage"]["total_tokens"]
        except ProdigonError:
            used = 0
            raise
        finally:
            await self._quotas.settle(reserved, used)
        return answer

    async def forward_stream(self, body: bytes) -> AsyncGenerator[bytes]:
        reserved = await self._quotas.reserve(self._user, most_of(body))
        pieces, end, used = 0, b"", None
        try:
            async with aclosing(self._model.forward_stream(body)) as answer:
                async for piece in answer:
                    pieces += piece.count(b"\n\n")
                    end = (end + piece)[-LONGEST_END:]
                    yield piece
            used = usage_in(end)
        finally:
            came = estimate(len(body)) + pieces if pieces else 0
            await self._quotas.settle(reserved, min(came, reserved.tokens) if used is None else used)

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        return GenerateResponse.model_validate_json(await self.forward(encode(request)))

    def stream(self, request: GenerateRequest) -> AsyncGenerator[str | Usage]:
        return sse.read_tokens(self.forward_stream(encode(request)))

    async def models(self) -> list[ModelCard]:
        return await self._model.models()


def most_of(body: bytes) -> int:
    """Tokens that a request may take at most; its bytes stand for the prompt's."""
    return int(orjson.loads(body).get("max_tokens") or DEFAULT_MAX_TOKENS) + estimate(len(body))


def usage_in(end: bytes) -> int | None:
    """The total of a stream's usage, which comes last."""
    _, found, rest = end.rpartition(USAGE_MARK)
    return int(orjson.loads(rest.partition(b"\n")[0])["total_tokens"]) if found else None


async def submit_metered(
    jobs: JobsClient, quotas: Quotas, user: UserId, submission: JobSubmission, key: str | None
) -> JobView:
    """Submit a job, which counts as if each of its answers were as long as it may be.

    What they really take only the workers know. A job that was there already, under its `key`, costs nothing
    more, and to run again what failed costs nothing either: it was paid for.
    """
    most = sum(submission.max_tokens + estimate(len(prompt.encode())) for prompt in submission.prompts)
    reserved = await quotas.reserve(user, most)
    used = most
    try:
        job = await jobs.submit(user, submission, key)
        if key is not None and job.created_at < reserved.at:
            used = 0
    except ProdigonError:
        used = 0
        raise
    finally:
        await quotas.settle(reserved, used)
    return job
