"""The tables. Times are `timestamptz`; a deleted parent takes its children with it.

A job's prompts are rows of their own, so that several workers share one job, progress is a count, and a crash
loses at most the prompt in flight.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it from the class)
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        str: Text(),
        bytes: LargeBinary(),
        dict[str, Any]: JSONB(none_as_null=True),
    }


class UserRow(Table):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    role: Mapped[str] = mapped_column(String(16), server_default="learner")
    disabled: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("ix_users_newest", text("created_at DESC"), text("id DESC")),
        CheckConstraint("role IN ('learner', 'teacher', 'operator')", name="role"),
    )


class SessionRow(Table):
    __tablename__ = "chat_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    system_prompt: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("ix_chat_sessions_newest", "user_id", text("updated_at DESC"), text("id DESC")),)


class MessageRow(Table):
    __tablename__ = "chat_messages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("chat_sessions.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """Order of writing; two messages may carry the same time."""
    role: Mapped[str] = mapped_column(String(16))
    content: Mapped[str]
    meta: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("ix_chat_messages_order", "session_id", "position"),
        CheckConstraint("role IN ('system', 'user', 'assistant')", name="role"),
    )


class JobRow(Table):
    """The update that brings `remaining_prompts` to 0 ends the job."""

    __tablename__ = "batch_jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(16), server_default="pending")
    model: Mapped[str | None] = mapped_column(String(200))
    max_tokens: Mapped[int] = mapped_column(Integer)
    total_prompts: Mapped[int] = mapped_column(Integer)
    remaining_prompts: Mapped[int] = mapped_column(Integer)
    """How many have not ended yet."""
    failed_prompts: Mapped[int] = mapped_column(Integer, server_default="0")
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    request_hash: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the submission: the same key with another body is a conflict."""
    request_id: Mapped[str | None] = mapped_column(String(128))
    traceparent: Mapped[str | None] = mapped_column(String(64))
    """The request that enqueued the job; the worker's logs and spans join it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    completed_at: Mapped[datetime | None]

    __table_args__ = (
        # Only what has finished: what is deleted once its time is over.
        Index("ix_batch_jobs_finished", "completed_at", postgresql_where=text("completed_at IS NOT NULL")),
        Index("ix_batch_jobs_newest", "user_id", text("created_at DESC"), text("id DESC")),
        UniqueConstraint("user_id", "idempotency_key"),
        CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="status"
        ),
        CheckConstraint("remaining_prompts BETWEEN 0 AND total_prompts", name="remaining"),
        CheckConstraint("failed_prompts BETWEEN 0 AND total_prompts", name="failed"),
    )


class PromptRow(Table):
    """One prompt of a job. `lease` is drawn anew at each claim: only its holder may write a result."""

    __tablename__ = "job_prompts"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("batch_jobs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """Its place in the job, from 0."""
    prompt: Mapped[str]
    status: Mapped[str] = mapped_column(String(16), server_default="pending")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    available_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Not claimable before; a retry's backoff moves it on."""
    lease: Mapped[UUID | None]
    leased_by: Mapped[str | None] = mapped_column(String(200))
    """The worker that claimed it last."""
    lease_until: Mapped[datetime | None]
    result: Mapped[str | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        # Partial: they hold only what can be claimed, and stay small whatever has finished. In the order of
        # claiming, so that a claim reads its rows off the front and never meets those that wait for later.
        Index(
            "ix_job_prompts_claimable",
            "available_at",
            "job_id",
            "position",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_job_prompts_leased", "lease_until", postgresql_where=text("status = 'running'")),
        CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="status"
        ),
    )


class AuditRow(Table):
    """Nothing refers to what it names: it stays when an account, a key or a chat has gone."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    event: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    actor: Mapped[UUID | None]
    key_id: Mapped[UUID | None]
    target: Mapped[str | None] = mapped_column(String(200))
    address: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(128))
    times: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        Index("ix_audit_log_newest", text("at DESC"), text("id DESC")),
        CheckConstraint("outcome IN ('success', 'failure', 'denied')", name="outcome"),
    )


class UsageRow(Table):
    """Tokens of a user on one day of UTC: used, and set aside for what still runs."""

    __tablename__ = "token_usage"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    tokens: Mapped[int] = mapped_column(BigInteger)


class CredentialRow(Table):
    """A user without one has no password: the default user, and who logs in elsewhere."""

    __tablename__ = "credentials"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    password_hash: Mapped[str]
    """Argon2id, with its parameters and its salt."""
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IdentityRow(Table):
    """Who a user is at an OIDC provider. An e-mail address is none: it may go to somebody else."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LoginRow(Table):
    """A family of refresh tokens, each made from the one before."""

    __tablename__ = "logins"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """The end of all its tokens, however often they are renewed."""
    revoked_at: Mapped[datetime | None]


class RefreshTokenRow(Table):
    __tablename__ = "refresh_tokens"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    """SHA-256 of the token: 256 random bits need no slow hash."""
    login_id: Mapped[UUID] = mapped_column(ForeignKey("logins.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]
    """Kept after its use, as a second one says that somebody else has it too."""


class ApiKeyRow(Table):
    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    hash: Mapped[bytes]
    """SHA-256 of the secret part."""
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(16)))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    """Right to the minute."""
    revoked_at: Mapped[datetime | None]


class SigningKeyRow(Table):
    __tablename__ = "token_signing_keys"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The key's thumbprint (RFC 7638)."""
    sealed: Mapped[bytes]
    """The private key, as `security.envelope` seals it. The public one is in no column: who writes to this
    table and has no envelope key can't add a key that is believed."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None]
    """When a newer one came; it is believed for as long as its tokens live."""


class ThrottleRow(Table):
    """How often logging in has failed lately, for a name, an address, or a name from an address."""

    __tablename__ = "login_throttles"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    """SHA-256 of what is counted: as long for any name."""
    failures: Mapped[float]
    """As of `last_at`; they are forgotten little by little."""
    last_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime]
    known_until: Mapped[datetime | None]
    """That name has logged in from that address before, and is not kept out with all others."""
