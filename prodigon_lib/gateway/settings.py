"""The gateway's settings."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from prodigon_lib.core.http.addresses import is_safe
from prodigon_lib.core.http.client_address import parse_networks
from prodigon_lib.core.http.hosts import parse_hosts
from prodigon_lib.core.settings import (
    DEFAULT_MODEL,
    CallerSettings,
    ModelName,
    ModelUrlList,
    Seconds,
    UrlList,
)
from prodigon_lib.security.envelope_keys import EnvelopeKeys
from prodigon_lib.security.rates import Rate


class CacheType(StrEnum):
    NONE = "none"
    MEMORY = "memory"
    REDIS = "redis"


class AuthType(StrEnum):
    """Who may call."""

    NONE = "none"
    """Whoever reaches the gateway; all is the default user's."""
    ACCOUNTS = "accounts"


class Registration(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class GatewaySettings(CallerSettings):
    """Beside what every service has. Times are in seconds."""

    AMONG_SERVICES: ClassVar[bool] = True

    model_service_url: ModelUrlList = "http://127.0.0.1:8001"
    worker_service_url: UrlList = "http://127.0.0.1:8002"
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Web pages of which origins may call the gateway, separated by commas; `*` is all."""
    connect_seconds: Seconds = 2.0
    """Until a service has taken the connection; then the next of its addresses is tried."""
    connection_idle_seconds: Seconds = 4.0
    """How long a connection to a service is kept that no call uses; less than who takes it keeps its own."""
    generate_seconds: Seconds = 120.0
    """Until a whole completion is there; longer than the model service takes to give up."""
    stream_idle_seconds: Seconds = 75.0
    """The longest silence of a stream; longer than the model service needs to try two models."""
    jobs_seconds: Seconds = 15.0
    """Until the worker service has answered."""
    retry_percent: Annotated[int, Field(ge=0, le=100)] = 10
    """Of the calls to a service, how many may be tried again, once, after their connection broke."""
    database_seconds: Seconds = 10.0
    """Until a transaction is done."""
    default_model: ModelName = DEFAULT_MODEL
    """What the model service answers with when a request names none: part of a kept answer's name."""
    cache: CacheType = CacheType.NONE
    """Where whole answers are kept; streams and chats pass by."""
    cache_seconds: Seconds = 600.0
    """How long an answer is kept; a tenth more or less, so that what came together does not go together."""
    cache_entries: Annotated[int, Field(ge=1)] = 10_000
    """With `memory`: how many at most; what was not asked for longest goes first."""
    cache_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024
    """With `memory`: how much they may take up."""
    cache_any_temperature: bool = False
    """Also where the temperature is above 0, and each answer would be another."""
    cache_version: Annotated[str, Field(max_length=200)] = ""
    """Another one leaves all kept answers behind: for a change of what is put around the prompts."""
    cache_redis_seconds: Seconds = 0.25
    """With `redis`: until it has answered; then the request goes on without it."""
    chat_history_messages: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many of a chat's newest messages go to the model."""
    chat_history_characters: Annotated[int, Field(ge=1000)] = 400_000
    """How long they may be together: about what a model with room for 128,000 tokens can read."""

    auth: AuthType = AuthType.NONE
    """`accounts` asks each caller for a credential, and lets them do what `security.policy` says."""
    registration: Registration | None = None
    """Who may make an account: everybody, or an operator alone; in production `closed` when not set."""
    access_token_seconds: Annotated[float, Field(ge=10, le=86400)] = 600.0
    """How long an access token is good for."""
    login_days: Annotated[float, Field(gt=0, le=400)] = 30.0
    """How long a login lasts, however often its tokens are renewed."""
    signing_key_days: Annotated[float, Field(gt=0)] = 30.0
    """The age at which the key that signs access tokens is replaced."""
    oidc_issuer: str | None = None
    """An OIDC provider: whoever it knows may log in. All four of these, or none."""
    oidc_client_id: Annotated[str, Field(min_length=1)] | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_redirect_url: str | None = None
    """Where it sends browsers back to: this gateway's `/api/v1/auth/oidc/callback`, as they reach it."""
    rate_limit: str | None = None
    """How many requests one address may send, such as `100/minute`; without it any number."""
    user_rate_limit: str | None = None
    """How many requests one user may send, with whatever credentials; without it any number."""
    token_quota: Annotated[int, Field(ge=1)] | None = None
    """How many tokens one user may use on a day of UTC, prompts and answers together."""
    trusted_proxies: str = ""
    """Addresses and networks, separated by commas, whose `X-Forwarded-For` is believed."""
    metrics_from: str = "127.0.0.0/8, ::1"
    """With accounts: networks whose callers read `/metrics` without a credential; an operator always may."""
    trusted_hosts: str = ""
    """Names, separated by commas, that a request may have in `Host`; `*.name` is all below it, `*` is any."""
    envelope_keys: SecretStr | None = None
    """Seal what is kept and must be read back: `NAME:KEY`, several separated by commas, newest first."""

    def lacks(self) -> list[str]:
        missing = super().lacks()
        if self.auth is not AuthType.ACCOUNTS:
            missing.append("AUTH must be accounts")
        if self.envelope_keys is None:
            missing.append("ENVELOPE_KEYS must be set")
        if not self.trusted_hosts:
            missing.append("TRUSTED_HOSTS must be set")
        return missing

    @property
    def open_registration(self) -> bool:
        if self.registration is None:
            return not self.in_production
        return self.registration is Registration.OPEN

    @model_validator(mode="after")
    def accounts_need_a_database_and_keys(self) -> Self:
        needed = {"DATABASE_URL": self.database_url, "ENVELOPE_KEYS": self.envelope_keys}
        missing = [name for name, value in needed.items() if value is None]
        if self.auth is AuthType.ACCOUNTS and missing:
            raise ValueError(f"{' and '.join(missing)} must be set when AUTH=accounts")
        return self

    @field_validator("oidc_issuer", "oidc_redirect_url")
    @classmethod
    def check_oidc_address(cls, value: str | None) -> str | None:
        if value is not None and not is_safe(value):
            raise ValueError("must be an https:// address, or http:// on this machine")
        return value

    @model_validator(mode="after")
    def oidc_is_whole(self) -> Self:
        parts = {name: getattr(self, name) for name in type(self).model_fields if name.startswith("oidc_")}
        missing = [name.upper() for name, value in parts.items() if value is None]
        if missing and len(missing) < len(parts):
            raise ValueError(f"{' and '.join(missing)} must be set too, or none that begins with OIDC_")
        if not missing and self.auth is not AuthType.ACCOUNTS:
            raise ValueError("OIDC_ISSUER needs AUTH=accounts")
        return self

    @field_validator("envelope_keys")
    @classmethod
    def check_envelope_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            EnvelopeKeys.parse(value.get_secret_value())
        return value

    @field_validator("rate_limit", "user_rate_limit")
    @classmethod
    def check_rate(cls, value: str | None) -> str | None:
        if value is not None:
            Rate.parse(value)
        return value

    @field_validator("trusted_proxies", "metrics_from")
    @classmethod
    def check_networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    @model_validator(mode="after")
    def a_quota_needs_a_database(self) -> Self:
        if self.token_quota is not None and self.database_url is None:
            raise ValueError("DATABASE_URL must be set when TOKEN_QUOTA is")
        return self

    @field_validator("trusted_hosts")
    @classmethod
    def check_hosts(cls, value: str) -> str:
        parse_hosts(value)
        return value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="after")
    def a_shared_cache_needs_redis(self) -> Self:
        if self.cache is CacheType.REDIS and self.redis_url is None:
            raise ValueError("REDIS_URL must be set when CACHE=redis")
        return self

    @field_validator("allowed_origins")
    @classmethod
    def check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            whole = parts.scheme in ("http", "https") and parts.netloc and not (parts.path or parts.query)
            if origin != "*" and not whole:
                raise ValueError("must be * or origins such as http://localhost:3000, separated by commas")
        return value
