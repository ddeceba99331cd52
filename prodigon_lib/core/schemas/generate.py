"""One completion: what is asked of a model, and what it answers."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from prodigon_lib.core.schemas.text import NO_NUL, ModelName, text_schema

MAX_PROMPT = 10_000
MAX_CONTENT = 64_000
MAX_TOKENS = 8192
DEFAULT_MAX_TOKENS = 1024
DEFAULT_TEMPERATURE = 0.7


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Message(BaseModel):
    """One turn of a conversation."""

    role: Role
    content: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT), NO_NUL, text_schema(1, MAX_CONTENT)]


class GenerationOptions(BaseModel):
    """How to generate: the fields that every endpoint that reaches a model shares."""

    model: ModelName | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS)] = DEFAULT_MAX_TOKENS
    temperature: Annotated[float, Field(ge=0, le=2)] = DEFAULT_TEMPERATURE
    system_prompt: (
        Annotated[str, Field(max_length=MAX_CONTENT), NO_NUL, text_schema(0, MAX_CONTENT)] | None
    ) = None


class GenerateRequest(GenerationOptions):
    """Exactly one of `prompt` and `messages`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["prompt"],
                    "properties": {"prompt": {"type": "string"}, "messages": {"type": "null"}},
                },
                {
                    "required": ["messages"],
                    "properties": {"messages": {"type": "array"}, "prompt": {"type": "null"}},
                },
            ]
        }
    )

    prompt: (
        Annotated[str, Field(min_length=1, max_length=MAX_PROMPT), NO_NUL, text_schema(1, MAX_PROMPT)] | None
    ) = None
    messages: Annotated[list[Message], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give exactly one of 'prompt' and 'messages'")
        return self

    def conversation(self) -> list[Message]:
        """The turns as a provider wants them: the system prompt first, then what was asked."""
        turns = list(self.messages or [])
        if self.prompt is not None:
            turns.append(Message(role=Role.USER, content=self.prompt))
        if self.system_prompt:
            turns.insert(0, Message(role=Role.SYSTEM, content=self.system_prompt))
        return turns


class Usage(BaseModel):
    """Tokens that were paid for."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class GenerateResponse(BaseModel):
    """A whole completion. `latency_ms` is the model service's own time for it."""

    text: str
    model: str
    usage: Usage
    latency_ms: float


class ModelCard(BaseModel):
    """One model that can be asked for, and which provider answers for it."""

    id: str
    provider: str
