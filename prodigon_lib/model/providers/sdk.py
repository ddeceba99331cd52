"""A provider over one of the two official SDKs, `groq` and `openai`, whose shapes are the same.

Each SDK is imported only by its own provider, and each speaks through its own HTTP library, so both modules
are given here as values.
"""

import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from types import ModuleType
from typing import Any

from prodigon_lib.core.errors import ProdigonError, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.rotation import RotatingSecret
from prodigon_lib.core.schemas.generate import GenerateRequest, Usage
from prodigon_lib.model.providers.base import Completion, Opening, Price, StreamItem
from prodigon_lib.model.providers.faults import rate_limits, refusal
from prodigon_lib.model.providers.simulated.tokenizer import count_tokens

logger = get_logger("provider", service="model")

MODELS_ARE_KEPT = 300.0
MODELS_TIMEOUT = 5.0
LONGEST_LOGGED = 300


@dataclass(slots=True)
class Sdk:
    """One of the two: its module, the HTTP library below it, and where they differ."""

    module: ModuleType
    http: ModuleType
    client: Any
    max_tokens_field: str
    stream_options: dict[str, Any]


class SdkProvider:
    """Completions through an SDK's client. Subclasses say which, by `make_sdk`."""

    name: str

    def __init__(self, key: RotatingSecret) -> None:
        self._key = key
        self._sdk: Sdk | None = None
        self._models: list[str] = []
        self._models_until = 0.0

    def make_sdk(self, key: str) -> Sdk:
        raise TypeError(f"{type(self).__name__} does not say which SDK it stands on")

    @property
    def sdk(self) -> Sdk:
        assert self._sdk is not None, "open() was not called"
        return self._sdk

    async def open(self) -> None:
        self._sdk = self.make_sdk(self._key.now)

    async def close(self) -> None:
        if self._sdk is not None:
            await self._sdk.client.close()
            self._sdk = None

    async def complete(self, request: GenerateRequest, model: str) -> Completion:
        with self._translated(model):
            raw = await self._create(request, model)
            answer = await parsed(raw)
            text = answer.choices[0].message.content
            usage = usage_of(answer.usage)
            if not isinstance(text, str | None):
                raise TypeError("the content is no text")
            headers = rate_limits(raw.headers)
        return Completion(text or "", answer.model or model, usage or estimated(request, text or ""), headers)

    async def stream(self, request: GenerateRequest, model: str) -> AsyncGenerator[StreamItem]:
        usage: Usage | None = None
        finished = False
        pieces: list[str] = []
        with self._translated(model):
            raw = await self._create(request, model, stream=True, extra_body=self.sdk.stream_options or None)
            answer = await parsed(raw)
        with self._translated(model, begun=True):
            async with answer:
                yield Opening(model, rate_limits(raw.headers))
                async for chunk in answer:
                    usage = usage_of(usage_field(chunk)) or usage
                    for choice in chunk.choices or ():
                        finished = finished or choice.finish_reason is not None
                        if choice.delta is not None and choice.delta.content:
                            pieces.append(choice.delta.content)
                            yield choice.delta.content
            if not finished:
                raise UpstreamError(f"{self.name} ended the stream before it was complete")
        yield usage or estimated(request, "".join(pieces))

    async def models(self) -> list[str]:
        """Kept for five minutes; raises like the other calls."""
        if time.monotonic() > self._models_until:
            self.sdk.client.api_key = self._key.now
            with self._translated("any"):
                listed = await self.sdk.client.models.list(timeout=MODELS_TIMEOUT)
                self._models = sorted(str(model.id) for model in listed.data)
            self._models_until = time.monotonic() + MODELS_ARE_KEPT
        return self._models

    def knows(self, model: str) -> bool | None:
        """Only a positive answer is sure: a server may load a model that it does not list."""
        return True if model in self._models else None

    def price(self, model: str) -> Price | None:
        return None

    async def _create(self, request: GenerateRequest, model: str, **more: Any) -> Any:
        """A new key serves from the next call on. One that the provider refuses is read again, once."""
        client, key = self.sdk.client, self._key.now
        client.api_key = key
        try:
            return await self._ask(request, model, **more)
        except self.sdk.module.AuthenticationError:
            other = await self._key.other_than(key)
            if other is None:
                raise
        client.api_key = other
        return await self._ask(request, model, **more)

    async def _ask(self, request: GenerateRequest, model: str, **more: Any) -> Any:
        messages = [{"role": turn.role.value, "content": turn.content} for turn in request.conversation()]
        return await self.sdk.client.chat.completions.with_raw_response.create(
            model=model,
            messages=messages,
            temperature=request.temperature,
            **{self.sdk.max_tokens_field: request.max_tokens},
            **more,
        )

    @contextmanager
    def _translated(self, model: str, *, begun: bool = False) -> Iterator[None]:
        """What the SDK raises becomes one of ours.

        Args:
            begun: the answer has begun, so that a connection that breaks was cut, and not unreachable.
        """
        module, http = self.sdk.module, self.sdk.http
        try:
            yield
        except ProdigonError:
            raise
        except (module.APITimeoutError, http.TimeoutException):
            raise UpstreamTimeout(f"{self.name} took too long") from None
        except module.APIStatusError as error:
            raise self._refused(error, model) from None
        except (module.APIConnectionError, http.TransportError) as error:
            if begun or not never_reached(error, http):
                raise UpstreamError(f"the connection to {self.name} broke") from None
            raise UpstreamUnavailable(f"{self.name} is away", retry_after=1) from None
        except module.APIError as error:  # an error event inside a stream
            self._log(model, None, error)
            raise UpstreamError(f"{self.name} ended the answer with an error") from None
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            # The SDKs check next to nothing of what they parse, so a foreign answer shows itself here.
            self._log(model, None, error)
            raise UpstreamError(f"{self.name} answered something that is no completion") from None

    def _refused(self, error: Any, model: str) -> ProdigonError:
        status = int(error.status_code)
        if status not in (401, 403, 429):  # a 401 may quote the key, and limits are no news
            self._log(model, status, error)
        return refusal(self.name, model, status, body=error.body, headers=error.response.headers)

    def _log(self, model: str, status: int | None, error: Exception) -> None:
        logger.warning(
            "provider fault",
            provider=self.name,
            model=model,
            status=status,
            said=str(error)[:LONGEST_LOGGED],
        )


async def parsed(raw: Any) -> Any:
    """`openai` parses at once, `groq` asynchronously."""
    answer = raw.parse()
    return await answer if isawaitable(answer) else answer


def never_reached(error: Any, http: ModuleType) -> bool:
    """Whether the server was never reached; an answer that broke off while awaited is another fault."""
    return isinstance(error.__cause__ or error, http.ConnectError | http.ConnectTimeout | http.PoolTimeout)


def usage_field(chunk: Any) -> Any:
    """OpenAI's servers send it in a last chunk of its own, Groq in a field of its own."""
    return getattr(chunk, "usage", None) or getattr(getattr(chunk, "x_groq", None), "usage", None)


def usage_of(reported: Any) -> Usage | None:
    if reported is None:
        return None
    prompt, completion = int(reported.prompt_tokens or 0), int(reported.completion_tokens or 0)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def estimated(request: GenerateRequest, text: str) -> Usage:
    """For servers that report none."""
    prompt = sum(count_tokens(turn.content) for turn in request.conversation())
    completion = count_tokens(text)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
