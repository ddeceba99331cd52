"""Settings that every service shares, read from the environment first and then from `.env`."""

from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.locations import env_file


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


class Settings(BaseSettings):
    """Settings of any service; each service adds its own in a subclass.

    Build it with `load_settings`, which turns a wrong value into one line that names the setting.
    """

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    environment: Environment = Environment.DEVELOPMENT
    log_level: LogLevel = LogLevel.INFO
    request_log_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Of the requests, how many get a log line, by lot; those that failed here always do."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    """A larger request body is answered with 413."""
    max_in_flight: Annotated[int, Field(ge=1)] = 1000
    """Requests that are answered at once, streams too; one more gets 429 at once and does not wait unseen."""
    loop_lag_warn_seconds: Seconds = 0.25
    """An event loop that was blocked for longer gets a line in the log, which says where it stood."""
    otel_exporter_otlp_endpoint: str | None = None
    """Where spans go; without it they are kept in `trace_file`, or dropped when that is not set either."""
    trace_file: str | None = None
    """A stack sets it: spans are appended here, one JSON document a line."""
    shutdown_seconds: Seconds = 10.0
    """How long requests in flight may take to end after SIGTERM."""

    @field_validator("log_level", mode="before")
    @classmethod
    def upper_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def in_production(self) -> bool:
        return self.environment is Environment.PRODUCTION


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

    @model_validator(mode="after")
    def production_needs_a_database(self) -> Self:
        if self.in_production and self.database_url is None:
            raise ValueError("DATABASE_URL must be set when ENVIRONMENT=production")
        return self


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
        return kind(_env_file=env_file(), **overrides)
    except ValidationError as error:
        raise SettingsError("; ".join(_one_line(item) for item in error.errors())) from None


def _one_line(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    name = ".".join(str(part) for part in item["loc"]).upper()
    return f"{name}: {message}" if name else message
