"""Settings that every service shares: from the environment, then `.env`, then secrets from their sources."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_args
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.locations import env_file
from prodigon_lib.core.secret_sources import SecretSource, find_secret, secret_sources


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
Seconds = Annotated[float, Field(gt=0)]
ModelName = Annotated[str, Field(min_length=1, max_length=200)]
DEFAULT_MODEL = "llama-3.3-70b-versatile"


class FromSecretSources(PydanticBaseSettingsSource):
    """Asks the secret sources for each secret that was set nowhere before, and for nothing else."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError("asked for all at once")

    def __call__(self) -> dict[str, Any]:
        known = self.current_state
        missing = [name for name in secret_names(self.settings_cls) if not known.get(name)]
        sources = sources_of(known)
        found = {name: find_secret(sources, name.upper()) for name in missing}
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """Settings of any service; each service adds its own in a subclass.

    Build it with `load_settings`, which turns a wrong value into one line that names the setting.
    """

    AMONG_SERVICES: ClassVar[bool] = False
    """Whether it calls other services of ours, or they call it."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    environment: Environment = Environment.DEVELOPMENT
    log_level: LogLevel = LogLevel.INFO
    request_log_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Of the requests, how many get a log line, by lot; those that failed here always do."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    """A larger request body is answered with 413."""
    request_seconds: Seconds = 60.0
    """Until a whole request, head and body, has come; then 408."""
    max_in_flight: Annotated[int, Field(ge=1)] = 1000
    """Requests that are taken in at once, streams too; one more gets 429 at once and does not wait unseen."""
    turn_seconds: Seconds = 5.0
    """Of many requests at once, a few begin at a time. One whose turn does not come within this gets 429, at
    once where the pace tells."""
    loop_lag_warn_seconds: Seconds = 0.25
    """An event loop that was blocked for longer gets a line in the log, which says where it stood."""
    otel_exporter_otlp_endpoint: str | None = None
    """Where spans go; without it they are kept in `trace_file`, or dropped when that is not set either."""
    trace_file: str | None = None
    """A stack sets it: spans are appended here, one JSON document a line."""
    shutdown_seconds: Seconds = 10.0
    """How long requests in flight may take to end after SIGTERM."""

    service_keys: SecretStr | None = None
    """Services prove to each other who they are: `NAME:KEY`, several separated by commas, newest first."""
    secrets_refresh_seconds: Seconds = 60.0
    """How often the sources are asked for rotated secrets; SIGHUP asks at once, and so does a refusal."""
    secrets_dir: str | None = None
    """Folders, separated by commas, with one file for each secret: what Docker and Kubernetes mount."""
    secrets_keyring: str | None = None
    """Turns the operating system's keyring on: under which name it keeps the secrets."""
    vault_addr: str | None = None
    """Turns a Vault-compatible server on."""
    vault_token: SecretStr | None = None
    vault_path: Annotated[str, StringConstraints(pattern=r"^/?[^/]+/.*[^/]$")] = "secret/prodigon"
    """The record there: the mount of its key-value engine, version 2, then the path."""

    _load_again: Callable[[], Self] | None = PrivateAttr(None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, FromSecretSources(settings_cls)

    @field_validator("vault_addr")
    @classmethod
    def check_vault_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must be an http:// or https:// address")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def upper_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def load_again(self) -> "Callable[[], Self] | None":
        """Reads them anew, where `load_settings` has read them."""
        return self._load_again

    @property
    def in_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    def lacks(self) -> list[str]:
        """What production needs and is not set, a sentence each that begins with the setting."""
        if self.service_keys is None and self.AMONG_SERVICES:
            return ["SERVICE_KEYS must be set"]
        return []

    @model_validator(mode="after")
    def production_lacks_nothing(self) -> Self:
        """All of it in one line, so that nobody mends one setting a start."""
        if self.in_production and (missing := self.lacks()):
            raise ValueError(f"{', '.join(missing)} when ENVIRONMENT=production")
        return self


def secret_names(kind: type[BaseSettings]) -> list[str]:
    """The settings of a class that are secrets: those whose type says so."""
    return [
        name
        for name, field in kind.model_fields.items()
        if SecretStr in (field.annotation, *get_args(field.annotation))
    ]


def secret_values(settings: BaseSettings) -> list[str]:
    """The secrets that are set, in the clear: for who must know what to keep quiet about."""
    values = [getattr(settings, name) for name in secret_names(type(settings))]
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def sources_of(known: Mapping[str, Any]) -> list[SecretSource]:
    """The secret sources that these settings, by their names, turn on. Raises SettingsError."""
    token = known.get("vault_token")
    return secret_sources(
        folders=known.get("secrets_dir"),
        keyring=known.get("secrets_keyring"),
        vault_address=known.get("vault_addr"),
        vault_token=token.get_secret_value() if isinstance(token, SecretStr) else token,
        vault_path=known.get("vault_path") or Settings.model_fields["vault_path"].default,
    )


class DatabaseSettings(Settings):
    """Settings of a service that keeps something in Postgres, and may keep something in Redis."""

    database_url: SecretStr | None = None
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    redis_url: SecretStr | None = None
    redis_prefix: Annotated[str, StringConstraints(pattern=r"^[\w{}:.-]{1,100}$")] = "prodigon"
    """Begins the name of each key: several systems may share one Redis."""

    @field_validator("redis_url")
    @classmethod
    def check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(REDIS_SCHEMES):
            raise ValueError("must be a redis://, rediss:// or unix:// address")
        return value

    def lacks(self) -> list[str]:
        missing = super().lacks()
        if self.database_url is None:
            missing.append("DATABASE_URL must be set")
        elif everybody_knows(self.database_url.get_secret_value()):
            missing.append("DATABASE_URL must have a password that nobody guesses")
        return missing


WELL_KNOWN = frozenset("postgres password prodigon admin root secret changeme change-me example test".split())


def everybody_knows(url: str) -> bool:
    """Whether the password of this address is one that programs and tutorials come with, or the user's name.

    One without a password may be let in otherwise: by a certificate, a socket, a `~/.pgpass`.
    """
    parts = urlsplit(url)
    password = unquote(parts.password or "")
    return bool(password) and (password.lower() in WELL_KNOWN or password == unquote(parts.username or ""))


class CallerSettings(DatabaseSettings):
    """Settings of a service that calls others."""

    breaker_failures: Annotated[int, Field(ge=1)] = 5
    """Failures in a row until an address is left alone: nobody listens, no answer in time, or it broke."""
    breaker_seconds: Seconds = 1.0
    """Until one call tries it again."""


def split_urls(value: str) -> tuple[str, ...]:
    """The base URLs in a comma-separated setting, without trailing slashes."""
    return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())


def check_urls(value: str) -> str:
    urls = split_urls(value)
    if not urls or not all(url.startswith(("http://", "https://")) for url in urls):
        raise ValueError("must be one or more http:// or https:// addresses, separated by commas")
    return value


def check_model_urls(value: str) -> str:
    urls = split_urls(value)
    if urls and all(url.startswith("grpc://") and url.rpartition(":")[2].isdecimal() for url in urls):
        return value
    if any(url.startswith("grpc://") for url in urls):
        raise ValueError("must be all http://, or all grpc:// with their ports, separated by commas")
    return check_urls(value)


UrlList = Annotated[str, AfterValidator(check_urls)]
"""One or more base URLs; a refused connection to one tries the next."""

ModelUrlList = Annotated[str, AfterValidator(check_model_urls)]
"""The same, or `grpc://host:port`: the scheme picks the carrier."""

SomeSettings = TypeVar("SomeSettings", bound=Settings)


def load_settings(kind: type[SomeSettings], **overrides: Any) -> SomeSettings:
    """Read the settings of one service.

    Raises:
        SettingsError: a value is missing or wrong; the message names each setting as the environment does.
    """
    try:
        settings = kind(_env_file=env_file(), **overrides)
        settings._load_again = lambda: load_settings(kind, **overrides)
        return settings
    except ValidationError as error:
        raise SettingsError("; ".join(_one_line(item) for item in error.errors())) from None


def _one_line(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    name = ".".join(str(part) for part in item["loc"]).upper()
    return f"{name}: {message}" if name else message
