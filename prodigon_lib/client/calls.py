"""The gateway's endpoints, as calls that either client carries out: what to send, how to read the answer.

Nothing here does I/O, so that nothing here is written twice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, TypeAdapter

from prodigon_lib.client.values import Generation, Messages, Options, Page, SessionChanges
from prodigon_lib.core.context import REQUEST_ID_HEADER
from prodigon_lib.core.principal import Scope
from prodigon_lib.core.schemas.accounts import KeyCreated, KeyView
from prodigon_lib.core.schemas.chat import MessageView, SessionDetail, SessionView
from prodigon_lib.core.schemas.generate import GenerateResponse, ModelCard
from prodigon_lib.core.schemas.health import Health, Readiness
from prodigon_lib.core.schemas.jobs import JobStatus, JobView

Answer = TypeVar("Answer")
Item = TypeVar("Item", bound=BaseModel)
Id = UUID | str

SESSIONS = "/api/v1/chat/sessions"
JOBS = "/api/v1/jobs"
KEYS = "/api/v1/keys"
PAGE = 50


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One request. A status of 400 or more is an error, but those in `accepted`.

    Args:
        public: it needs no credential, so none is asked for first.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    json: Any = None
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset()
    public: bool = False


def nothing(_: httpx.Response) -> None:
    return None


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value; the server knows the defaults of the others."""
    return {name: value for name, value in fields.items() if value is not None}


def reads(kind: type[Item]) -> Callable[[httpx.Response], Item]:
    return lambda response: kind.model_validate_json(response.content)


def reads_page(kind: type[Item]) -> Callable[[httpx.Response], Page[Item]]:
    entries = TypeAdapter(list[kind])  # type: ignore[valid-type]

    def read(response: httpx.Response) -> Page[Item]:
        return Page(entries.validate_json(response.content), response.headers.get("X-Next-Cursor"))

    return read


def generation_body(prompt: str | None, messages: Messages | None, options: Options) -> dict[str, Any]:
    turns = None if messages is None else [dict(message) for message in messages]
    return given(prompt=prompt, messages=turns, **options)


def generate(prompt: str | None, messages: Messages | None, options: Options) -> Call[Generation]:
    def read(response: httpx.Response) -> Generation:
        answer = GenerateResponse.model_validate_json(response.content)
        request_id = response.headers.get(REQUEST_ID_HEADER, "")
        return Generation(answer.text, answer.model, answer.usage, answer.latency_ms, request_id)

    return Call("POST", "/api/v1/generate", read, json=generation_body(prompt, messages, options))


def stream(prompt: str | None, messages: Messages | None, options: Options) -> Call[None]:
    return Call("POST", "/api/v1/generate/stream", nothing, json=generation_body(prompt, messages, options))


def take_turn(session: Id, content: str, options: Options) -> Call[None]:
    return Call("POST", f"{SESSIONS}/{session}/stream", nothing, json=given(content=content, **options))


def create_session(title: str | None, system_prompt: str | None) -> Call[SessionView]:
    body = given(title=title, system_prompt=system_prompt)
    return Call("POST", SESSIONS, reads(SessionView), json=body)


def sessions_page(search: str | None, cursor: str | None) -> Call[Page[SessionView]]:
    params = given(limit=PAGE, q=search, cursor=cursor)
    return Call("GET", SESSIONS, reads_page(SessionView), params=params)


def get_session(session: Id) -> Call[SessionDetail]:
    return Call("GET", f"{SESSIONS}/{session}", reads(SessionDetail))


def update_session(session: Id, changes: SessionChanges) -> Call[SessionView]:
    return Call("PATCH", f"{SESSIONS}/{session}", reads(SessionView), json=dict(changes))


def delete_session(session: Id) -> Call[None]:
    return Call("DELETE", f"{SESSIONS}/{session}", nothing)


def add_message(session: Id, role: str, content: str, meta: dict[str, Any] | None) -> Call[MessageView]:
    body = given(role=role, content=content, meta=meta)
    return Call("POST", f"{SESSIONS}/{session}/messages", reads(MessageView), json=body)


def delete_messages_from(session: Id, message: Id) -> Call[None]:
    return Call("DELETE", f"{SESSIONS}/{session}/messages/{message}", nothing)


def submit_job(
    prompts: Sequence[str], model: str | None, max_tokens: int | None, idempotency_key: str | None
) -> Call[tuple[JobView, str]]:
    """Read as the job and the id of the request that sent it."""

    def read(response: httpx.Response) -> tuple[JobView, str]:
        return JobView.model_validate_json(response.content), response.headers.get(REQUEST_ID_HEADER, "")

    body = given(prompts=list(prompts), model=model, max_tokens=max_tokens)
    headers = given(**{"Idempotency-Key": idempotency_key})
    return Call("POST", JOBS, read, json=body, headers=headers)


def jobs_page(status: JobStatus | str | None, cursor: str | None) -> Call[Page[JobView]]:
    params = given(limit=PAGE, status=status and JobStatus(status).value, cursor=cursor)
    return Call("GET", JOBS, reads_page(JobView), params=params)


def get_job(job: Id) -> Call[JobView]:
    return Call("GET", f"{JOBS}/{job}", reads(JobView))


def cancel_job(job: Id) -> Call[JobView]:
    return Call("POST", f"{JOBS}/{job}/cancel", reads(JobView))


def retry_job(job: Id) -> Call[JobView]:
    return Call("POST", f"{JOBS}/{job}/retry", reads(JobView))


def job_events(job: Id) -> Call[None]:
    return Call("GET", f"{JOBS}/{job}/events", nothing)


def create_key(name: str, scopes: Iterable[Scope | str]) -> Call[KeyCreated]:
    body = {"name": name, "scopes": sorted(Scope(scope).value for scope in scopes)}
    return Call("POST", KEYS, reads(KeyCreated), json=body)


def keys() -> Call[list[KeyView]]:
    entries = TypeAdapter(list[KeyView])
    return Call("GET", KEYS, lambda response: entries.validate_json(response.content))


def revoke_key(key: Id) -> Call[None]:
    return Call("DELETE", f"{KEYS}/{key}", nothing)


def models() -> Call[list[ModelCard]]:
    def read(response: httpx.Response) -> list[ModelCard]:
        return [ModelCard(id=card["id"], provider=card["owned_by"]) for card in response.json()["data"]]

    return Call("GET", "/v1/models", read)


def health() -> Call[Health]:
    return Call("GET", "/health", reads(Health), public=True)


def ready() -> Call[Readiness]:
    return Call("GET", "/health/ready", reads(Readiness), accepted=frozenset({503}), public=True)
