"""The model service's settings."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, field_validator

from prodigon_lib.core.settings import DEFAULT_MODEL, ModelName, Seconds, Settings
from prodigon_lib.model.providers.simulated.profiles import ProfileName

FALLBACK_MODEL = "llama-3.1-8b-instant"


class ModelSettings(Settings):
    """Beside what every service has. Times are in seconds."""

    AMONG_SERVICES: ClassVar[bool] = True

    groq_api_key: SecretStr | None = None
    """Turns Groq on."""
    groq_base_url: str | None = None
    """Without it, Groq's own address."""
    openai_compatible_url: str | None = None
    """Turns an OpenAI-compatible server on: Ollama, vLLM, llama.cpp. Ends in `/v1` as a rule."""
    openai_compatible_key: SecretStr | None = None
    """Local servers need none."""
    use_mock: bool = False
    """The simulated model answers, whatever key is set; `groq:NAME` still asks the live one."""
    default_model: ModelName = DEFAULT_MODEL
    """Answers when a request names none."""
    fallback_model: ModelName = FALLBACK_MODEL
    """Answers when the default model fails before its first token; the default's own name turns it off."""
    provider_connect_seconds: Seconds = 5.0
    """Until a live provider has taken the connection."""
    first_token_seconds: Seconds = 30.0
    """Until the first token of a stream, for each model that is tried."""
    token_gap_seconds: Seconds = 30.0
    """The longest silence between two tokens."""
    answer_seconds: Seconds = 110.0
    """Until a whole answer that is no stream; with a fallback, the default model may use half of it."""
    stream_seconds: Seconds = 600.0
    """Until a stream has ended."""
    model_grpc_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Turns gRPC on, beside HTTP, on a port of its own."""
    model_grpc_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """The address that gRPC listens at; every one of the machine's is `0.0.0.0`."""
    simulated_profile: ProfileName | None = None
    """How fast the simulated model is, under every name; without it each name has its own speed."""
    simulated_seed: Annotated[int, Field(ge=0, le=2**53)] = 0
    """The same seed and prompt give the same answer and the same faults."""

    @field_validator("groq_base_url", "openai_compatible_url")
    @classmethod
    def check_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/") if value else value

    @field_validator("groq_api_key", "openai_compatible_key", mode="before")
    @classmethod
    def check_key(cls, value: object) -> object:
        """Catches at start what would otherwise fail each request: a key that no HTTP header can carry."""
        if isinstance(value, str):
            value = value.strip()
            if not value.isascii() or not value.isprintable() or " " in value:
                raise ValueError("must be printable ASCII without spaces")
            return value or None
        return value

    def lacks(self) -> list[str]:
        missing = super().lacks()
        if not self.use_mock and not self.live:
            missing.append("GROQ_API_KEY, or OPENAI_COMPATIBLE_URL, or USE_MOCK must be set")
        return missing

    @property
    def live(self) -> bool:
        """Whether any provider but the simulated one is configured."""
        return self.groq_api_key is not None or self.openai_compatible_url is not None
