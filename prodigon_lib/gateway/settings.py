"""The gateway's settings."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from prodigon_lib.core.settings import CallerSettings, ModelUrlList, Seconds, UrlList


class GatewaySettings(CallerSettings):
    """Beside what every service has. Times are in seconds."""

    model_service_url: ModelUrlList = "http://127.0.0.1:8001"
    worker_service_url: UrlList = "http://127.0.0.1:8002"
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Web pages of which origins may call the gateway, separated by commas; `*` is all."""
    connect_seconds: Seconds = 2.0
    """Until a service has taken the connection; then the next of its addresses is tried."""
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
    chat_history_messages: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many of a chat's newest messages go to the model."""
    chat_history_characters: Annotated[int, Field(ge=1000)] = 400_000
    """How long they may be together: about what a model with room for 128,000 tokens can read."""

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_origins")
    @classmethod
    def check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            whole = parts.scheme in ("http", "https") and parts.netloc and not (parts.path or parts.query)
            if origin != "*" and not whole:
                raise ValueError("must be * or origins such as http://localhost:3000, separated by commas")
        return value
