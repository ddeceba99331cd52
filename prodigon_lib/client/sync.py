"""The sync client: a thin face over `httpx.Client`, of use inside a running event loop too."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, Unpack

import httpx

from prodigon_lib.client import calls
from prodigon_lib.client.calls import Answer, Call, Id
from prodigon_lib.client.credentials import auth_for
from prodigon_lib.client.jobs import Job
from prodigon_lib.client.streams import EventReader, TokenStream
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


class Client:
    """Calls one gateway; keeps its connections, so make one and use it again.

        with Client("http://127.0.0.1:8000") as client:
            print(client.generate("What is a queue?").text)

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
        self._http = httpx.Client(
            auth=auth_for(base_url, api_key, user, password), **options(base_url, timeout)
        )

    def generate(
        self, prompt: str | None = None, *, messages: Messages | None = None, **options: Unpack[Options]
    ) -> Generation:
        """A whole completion, for exactly one of `prompt` and `messages`."""
        return self.call(calls.generate(prompt, messages, options))

    def stream(
        self, prompt: str | None = None, *, messages: Messages | None = None, **options: Unpack[Options]
    ) -> TokenStream:
        """A completion token by token; returns when the first is there."""
        return TokenStream(self.open(calls.stream(prompt, messages, options)), self.base_url)

    def submit_job(
        self,
        prompts: Sequence[str],
        *,
        model: str | None = None,
        max_tokens: int | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Enqueue 1 to 100 prompts. The same key with the same prompts gives the same job again.

        Raises:
            Conflict: the key was used with other prompts.
        """
        return Job(self, *self.call(calls.submit_job(prompts, model, max_tokens, idempotency_key)))

    def job(self, id: Id) -> Job:
        return Job(self, self.call(calls.get_job(id)))

    def jobs(self, *, status: JobStatus | str | None = None) -> Iterator[Job]:
        """All jobs, newest first; pages are asked for as the iteration goes on."""
        cursor: str | None = None
        while True:
            page = self.call(calls.jobs_page(status, cursor))
            yield from (Job(self, view) for view in page.items)
            if (cursor := page.next_cursor) is None:
                return

    def create_session(self, title: str | None = None, *, system_prompt: str | None = None) -> SessionView:
        return self.call(calls.create_session(title, system_prompt))

    def sessions(self, *, q: str | None = None) -> Iterator[SessionView]:
        """All sessions, newest first; with `q`, those that have it in their title or a message."""
        cursor: str | None = None
        while True:
            page = self.call(calls.sessions_page(q, cursor))
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return

    def session(self, id: Id) -> SessionDetail:
        """One session, with its messages."""
        return self.call(calls.get_session(id))

    def update_session(self, id: Id, **changes: Unpack[SessionChanges]) -> SessionView:
        """Change `title` or `system_prompt`; `system_prompt=None` removes it."""
        return self.call(calls.update_session(id, changes))

    def delete_session(self, id: Id) -> None:
        self.call(calls.delete_session(id))

    def add_message(
        self, session_id: Id, role: str, content: str, *, meta: dict[str, Any] | None = None
    ) -> MessageView:
        """Write a message; no model is asked."""
        return self.call(calls.add_message(session_id, role, content, meta))

    def delete_messages_from(self, session_id: Id, message_id: Id) -> None:
        """Delete that message and all after it."""
        self.call(calls.delete_messages_from(session_id, message_id))

    def chat(self, session_id: Id, content: str, **options: Unpack[Options]) -> TokenStream:
        """One turn: the server saves the question, and the answer once you have read all of it."""
        return TokenStream(self.open(calls.take_turn(session_id, content, options)), self.base_url)

    def models(self) -> list[ModelCard]:
        return self.call(calls.models())

    def create_key(self, name: str, scopes: Iterable[Scope | str]) -> KeyCreated:
        """An API key of this user; its `key` is shown this once.

        Raises:
            Forbidden: an API key makes no others.
        """
        return self.call(calls.create_key(name, scopes))

    def api_keys(self) -> list[KeyView]:
        return self.call(calls.keys())

    def revoke_key(self, id: Id) -> None:
        self.call(calls.revoke_key(id))

    def health(self) -> Health:
        return self.call(calls.health())

    def ready(self) -> Readiness:
        """Whether all that the gateway needs is there; `failing` names what is not."""
        return self.call(calls.ready())

    def call(self, call: Call[Answer]) -> Answer:
        """Carry out a call of `prodigon_lib.client.calls`."""
        with faults_named(self.base_url):
            response = self._http.request(**request_arguments(call))
        return read_answer(call, response)

    def open(self, call: Call[None]) -> httpx.Response:
        """The answer to a call, once it has begun; its body is unread."""
        with faults_named(self.base_url):
            request = self._http.build_request(**request_arguments(call))
            response = self._http.send(request, stream=True)
            if response.status_code >= 400:
                response.read()
                raise error_from(response)
            return response

    def events(self, call: Call[None]) -> Iterator[Event]:
        """The events of a stream that has no tokens, such as a job's progress."""
        response = self.open(call)
        reader = EventReader()
        try:
            with faults_named(self.base_url):
                for chunk in response.iter_raw():
                    yield from reader.feed(chunk)
            reader.finish()
        finally:
            response.close()

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
