"""Accounts, logins, API keys and the audit log, as the gateway speaks of them."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, SecretStr, StringConstraints

from prodigon_lib.core.principal import Role, Scope
from prodigon_lib.core.schemas.text import NO_NUL, text_schema

MAX_PASSWORD = 1024
MAX_KEY_NAME = 100


def in_the_future(value: datetime) -> datetime:
    if value <= datetime.now(UTC):
        raise ValueError("must lie in the future")
    return value


AccountName = Annotated[
    str,
    StringConstraints(min_length=3, max_length=64, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$"),
]
"""In small letters: two names that differ in nothing else would be taken for each other."""

Password = Annotated[SecretStr, Field(min_length=1, max_length=MAX_PASSWORD)]
RefreshToken = Annotated[SecretStr, Field(min_length=1, max_length=200)]
KeyName = Annotated[str, Field(min_length=1, max_length=MAX_KEY_NAME), NO_NUL, text_schema(1, MAX_KEY_NAME)]


class Credentials(BaseModel):
    """A name and its password."""

    name: AccountName
    password: Password


class RefreshRequest(BaseModel):
    refresh_token: RefreshToken


class PasswordChange(BaseModel):
    current_password: Password
    new_password: Password


class TokenView(BaseModel):
    """Shown to whoever logged in, and kept by nobody else."""

    access_token: str
    refresh_token: str
    """Good once: the answer to it has the next one."""
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (a word of RFC 6750)
    expires_in: int
    """Seconds that the access token is good for."""


class AccountView(BaseModel):
    id: UUID
    name: str
    role: Role
    disabled: bool
    created_at: datetime


class AccountUseView(AccountView):
    """How much an account is used; what for is nobody's business."""

    tokens_today: int | None
    """Used and set aside on this day of UTC; null where no `TOKEN_QUOTA` has them counted."""
    chats: int


class AccountUpdate(BaseModel):
    """Only the fields that are sent change."""

    role: Role | None = None
    disabled: bool | None = None


class KeyCreate(BaseModel):
    name: KeyName
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]
    expires_at: Annotated[AwareDatetime, AfterValidator(in_the_future)] | None = None


class KeyView(BaseModel):
    key_id: UUID
    name: str
    prefix: str
    """What the key begins with: enough to tell which one it is."""
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class KeyCreated(KeyView):
    key: str
    """The whole key. It is shown this once."""


class AuditView(BaseModel):
    id: UUID
    at: datetime
    event: str
    outcome: str
    actor: UUID | None
    key_id: UUID | None
    target: str | None
    address: str | None
    request_id: str | None
    times: int
