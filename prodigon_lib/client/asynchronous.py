"""The async client: `Client` with `await`."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Self, Unpack

import httpx

from prodigon_lib.client import calls
from prodigon_lib.client.calls import Answer, Call, Id
from prodigon_lib.client.credentials import auth_for
from prodigon_lib.client.jobs import AsyncJob
from prodigon_lib.client.streams import AsyncTokenStream, EventReader
from prodigon_lib.client.values import Generation, Messages, Options, SessionChanges
from prodigon_lib.client.wire import (
    DEFAULT_SECONDS,
    DEFAULT_URL,
    error_from,
    faults_named,
    options,
    read_answer,
    request_arguments,
)
from prodigon_lib.core.principal import Scope
from prodigon_lib.core.schemas.accounts import KeyCreated, KeyView
from prodigon_lib.core.schemas.chat import MessageView, SessionDetail, SessionView
from prodigon_lib.core.schemas.generate import ModelCard
from prodigon_lib.core.schemas.health import Health, Readiness
from prodigon_lib.core.schemas.jobs import JobStatus
from prodigon_lib.core.sse import Event


class AsyncClient:
    """`Client` for async code: the same methods, awaited, and the same errors.

        async with AsyncClient("http://127.0.0.1:8000") as client:
            async for token in client.stream("What is a queue?"):
                print(token, end="")

    Args:
        base_url: of the gateway.
        api_key: shown with each request, where accounts are on.
        user, password: in place of a key: logs in at the first request, and renews the login by itself.
        timeout: seconds until an answer, or the next token of a stream.

    Raises (every call):
        ProdigonError: the gateway's answer, as the class of its code.
        UpstreamUnavailable: nothing answers at `base_url`.
        UpstreamTimeout: no answer in time.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        api_key: str | None = None,
        *,
        user: str | None = None,
        password: str | None = None,
        timeout: float = DEFAULT_SECONDS,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(
            auth=auth_for(base_url, api_key, user, password), **options(base_url, timeout)
        )

    async def generate(
        self, prompt: str | None = None, *, messages: Messages | None = None, **options: Unpack[Options]
    ) -> Generation:
        """A whole completion, for exactly one of `prompt` and `messages`."""
        return await self.call(calls.generate(prompt, messages, options))

    def stream(
        self, prompt: str | None = None, *, messages: Messages | None = None, **options: Unpack[Options]
    ) -> AsyncTokenStream:
        """A completion token by token."""
        call = calls.stream(prompt, messages, options)
        return AsyncTokenStream(lambda: self.open(call), self.base_url)

    async def submit_job(
        self,
        prompts: Sequence[str],
        *,
        model: str | None = None,
        max_tokens: int | None = None,
        idempotency_key: str | None = None,
    ) -> AsyncJob:
        """Enqueue 1 to 100 prompts. The same key with the same prompts gives the same job again.

        Raises:
            Conflict: the key was used with other prompts.
        """
        call = calls.submit_job(prompts, model, max_tokens, idempotency_key)
        return AsyncJob(self, *(await self.call(call)))

    async def job(self, id: Id) -> AsyncJob:
        return AsyncJob(self, await self.call(calls.get_job(id)))

    async def jobs(self, *, status: JobStatus | str | None = None) -> AsyncIterator[AsyncJob]:
        """All jobs, newest first; pages are asked for as the iteration goes on."""
        cursor: str | None = None
        while True:
            page = await self.call(calls.jobs_page(status, cursor))
            for view in page.items:
                yield AsyncJob(self, view)
            if (cursor := page.next_cursor) is None:
                return

    async def create_session(
        self, title: str | None = None, *, system_prompt: str | None = None
    ) -> SessionView:
        return await self.call(calls.create_session(title, system_prompt))

    async def sessions(self, *, q: str | None = None) -> AsyncIterator[SessionView]:
        """All sessions, newest first; with `q`, those that have it in their title or a message."""
        cursor: str | None = None
        while True:
            page = await self.call(calls.sessions_page(q, cursor))
            for view in page.items:
                yield view
            if (cursor := page.next_cursor) is None:
                return

    async def session(self, id: Id) -> SessionDetail:
        """One session, with its messages."""
        return await self.call(calls.get_session(id))

    async def update_session(self, id: Id, **changes: Unpack[SessionChanges]) -> SessionView:
        """Change `title` or `system_prompt`; `system_prompt=None` removes it."""
        return await self.call(calls.update_session(id, changes))

    async def delete_session(self, id: Id) -> None:
        await self.call(calls.delete_session(id))

    async def add_message(
        self, session_id: Id, role: str, content: str, *, meta: dict[str, Any] | None = None
    ) -> MessageView:
        """Write a message; no model is asked."""
        return await self.call(calls.add_message(session_id, role, content, meta))

    async def delete_messages_from(self, session_id: Id, message_id: Id) -> None:
        """Delete that message and all after it."""
        await self.call(calls.delete_messages_from(session_id, message_id))

    def chat(self, session_id: Id, content: str, **options: Unpack[Options]) -> AsyncTokenStream:
        """One turn: the server saves the question, and the answer once you have read all of it."""
        call = calls.take_turn(session_id, content, options)
        return AsyncTokenStream(lambda: self.open(call), self.base_url)

    async def models(self) -> list[ModelCard]:
        return await self.call(calls.models())

    async def create_key(self, name: str, scopes: Iterable[Scope | str]) -> KeyCreated:
        """An API key of this user; its `key` is shown this once.

        Raises:
            Forbidden: an API key makes no others.
        """
        return await self.call(calls.create_key(name, scopes))

    async def api_keys(self) -> list[KeyView]:
        return await self.call(calls.keys())

    async def revoke_key(self, id: Id) -> None:
        await self.call(calls.revoke_key(id))

    async def health(self) -> Health:
        return await self.call(calls.health())

    async def ready(self) -> Readiness:
        """Whether all that the gateway needs is there; `failing` names what is not."""
        return await self.call(calls.ready())

    async def call(self, call: Call[Answer]) -> Answer:
        """Carry out a call of `prodigon_lib.client.calls`."""
        with faults_named(self.base_url):
            response = await self._http.request(**request_arguments(call))
        return read_answer(call, response)

    async def open(self, call: Call[None]) -> httpx.Response:
        """The answer to a call, once it has begun; its body is unread."""
        with faults_named(self.base_url):
            request = self._http.build_request(**request_arguments(call))
            response = await self._http.send(request, stream=True)
            if response.status_code >= 400:
                await response.aread()
                raise error_from(response)
            return response

    async def events(self, call: Call[None]) -> AsyncIterator[Event]:
        """The events of a stream that has no tokens, such as a job's progress."""
        response = await self.open(call)
        reader = EventReader()
        try:
            with faults_named(self.base_url):
                async for chunk in response.aiter_raw():
                    for event in reader.feed(chunk):
                        yield event
            reader.finish()
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
