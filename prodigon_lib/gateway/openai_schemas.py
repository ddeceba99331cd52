"""OpenAI's wire schema, as far as a text model has use for it.

What would change the answer's form if it were passed over (`tools`, `stop`, `n`, `response_format`,
`logprobs`, parts that are no text) is refused by name. Hints (`seed`, `top_p`, penalties, `user`, `metadata`
and what is new) are passed over, as servers of this kind do.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from prodigon_lib.core.schemas.generate import (
    DEFAULT_MAX_TOKENS,
    DEFAULT_TEMPERATURE,
    MAX_CONTENT,
    MAX_TOKENS,
    GenerateRequest,
    Message,
    Role,
)
from prodigon_lib.core.schemas.text import NO_NUL, ModelName, text_schema

Text = Annotated[str, Field(min_length=1, max_length=MAX_CONTENT), NO_NUL, text_schema(1, MAX_CONTENT)]
TokenLimit = Annotated[int, Field(ge=1, le=MAX_TOKENS)]


class OpenAIRole(StrEnum):
    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"


class TextPart(BaseModel):
    type: Literal["text"]
    text: Text


class ChatMessage(BaseModel):
    """`developer` is the newer word for `system`."""

    role: OpenAIRole
    content: Text | Annotated[list[TextPart], Field(min_length=1)]

    @model_validator(mode="after")
    def check_length(self) -> Self:
        if len(self.text()) > MAX_CONTENT:
            raise ValueError(f"content must have at most {MAX_CONTENT} characters")
        return self

    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)

    def plain(self) -> Message:
        role = Role.SYSTEM if self.role is OpenAIRole.DEVELOPER else Role(self.role.value)
        return Message(role=role, content=self.text())


class StreamOptions(BaseModel):
    include_usage: bool = False


class TextFormat(BaseModel):
    type: Literal["text"] = "text"


class ChatCompletionRequest(BaseModel):
    model: ModelName
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_completion_tokens: TokenLimit | None = None
    max_tokens: TokenLimit | None = None
    """The older name of `max_completion_tokens`."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    stop: Annotated[list[str], Field(max_length=0)] | None = None
    tools: Annotated[list[Any], Field(max_length=0)] | None = None
    functions: Annotated[list[Any], Field(max_length=0)] | None = None
    response_format: TextFormat | None = None
    logprobs: Literal[False] | None = None
    modalities: list[Literal["text"]] | None = None

    @field_validator(
        "n", "stop", "tools", "functions", "response_format", "logprobs", "modalities", mode="wrap"
    )
    @classmethod
    def name_what_is_missing(cls, value: Any, handler: Any, info: Any) -> Any:
        try:
            return handler(value)
        except ValueError:
            raise ValueError(f"this server does not support this value of {info.field_name}") from None

    def generate_request(self) -> GenerateRequest:
        return GenerateRequest(
            messages=[message.plain() for message in self.messages],
            model=self.model,
            max_tokens=self.max_completion_tokens or self.max_tokens or DEFAULT_MAX_TOKENS,
            temperature=DEFAULT_TEMPERATURE if self.temperature is None else self.temperature,
        )

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


class CompletionUsage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AnswerMessage(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    index: int = 0
    message: AnswerMessage
    logprobs: None = None
    finish_reason: Literal["stop", "length"]


class ChatCompletion(BaseModel):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage
    system_fingerprint: None = None


class Delta(BaseModel):
    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    index: int = 0
    delta: Delta
    logprobs: None = None
    finish_reason: Literal["stop", "length"] | None = None


class ChatCompletionChunk(BaseModel):
    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
    system_fingerprint: None = None


class OpenAIModel(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class OpenAIModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[OpenAIModel]


class OpenAIErrorBody(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(BaseModel):
    error: OpenAIErrorBody
