"""The OpenAI-compatible endpoints, so that any OpenAI client can use the gateway.

They are answered under `/v1/…`, and under `/openai/v1/…`, where the Groq SDK asks.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal
from uuid import uuid4

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from prodigon_lib.cache.control import status_headers
from prodigon_lib.core import sse
from prodigon_lib.core.errors import ModelNotFound, ProdigonError
from prodigon_lib.core.http.application import ERROR_ANSWERS
from prodigon_lib.core.http.documentation import event_stream
from prodigon_lib.core.http.errors import openai_envelope
from prodigon_lib.core.http.streams import EventStream, unless_disconnected
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, Usage
from prodigon_lib.gateway.access import user_of
from prodigon_lib.gateway.dependencies import Bound, Model, User
from prodigon_lib.gateway.openai_schemas import (
    AnswerMessage,
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    Choice,
    ChunkChoice,
    CompletionUsage,
    Delta,
    OpenAIError,
    OpenAIModel,
    OpenAIModelList,
)
from prodigon_lib.transport.model import ModelClient, encode

FinishReason = Literal["stop", "length"]

OPENAI_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {**answer, "model": OpenAIError} for status, answer in ERROR_ANSWERS.items()
}
CHAT_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "With `stream`, server-sent events, each a chunk, then `data: [DONE]`",
        "model": ChatCompletion,
        "content": event_stream("message"),
    }
}

router = APIRouter(prefix="/v1", tags=["openai"], responses=OPENAI_ERRORS)

STARTED = int(time.time())


class OpenAIStream(EventStream):
    """A stream whose faults look as OpenAI's clients expect them."""

    def fault(self, error: ProdigonError) -> bytes:
        return data(openai_envelope(error))


@router.get("/models")
async def list_models(model: Model) -> OpenAIModelList:
    """The models that can be asked for."""
    cards = await model.models()
    return OpenAIModelList(
        data=[OpenAIModel(id=card.id, created=STARTED, owned_by=card.provider) for card in cards]
    )


@router.get("/models/{model_id:path}")
async def get_model(model_id: str, model: Model) -> OpenAIModel:
    """One of them; an id may have slashes."""
    for card in (await list_models(model)).data:
        if card.id == model_id:
            return card
    raise ModelNotFound(f"there is no model {model_id!r}")


@router.post("/chat/completions", response_model=ChatCompletion, responses=CHAT_ANSWERS)
async def complete_chat(asked: ChatCompletionRequest, request: Request, bound: Bound, user: User) -> Response:
    """A completion, whole or as a stream; whole ones may come from the cache, as with `/api/v1/generate`."""
    wanted = asked.generate_request()
    model = bound.model_of(user)
    if asked.stream:
        return OpenAIStream(chunks(asked, wanted, model))
    if bound.answers is None:
        answer = await unless_disconnected(request.receive, model.generate(wanted))
        return JSONResponse(completion(answer, wanted.max_tokens).model_dump())
    control = request.headers.get("cache-control")
    asking = bound.answers.answer(wanted, encode(wanted), control, user_of(request.scope), model)
    found = await unless_disconnected(request.receive, asking)
    answer = GenerateResponse.model_validate_json(found.body)
    return JSONResponse(completion(answer, wanted.max_tokens).model_dump(), headers=status_headers(found))


def completion(answer: GenerateResponse, max_tokens: int) -> ChatCompletion:
    return ChatCompletion(
        id=new_completion_id(),
        created=int(time.time()),
        model=answer.model,
        choices=[
            Choice(
                message=AnswerMessage(content=answer.text),
                finish_reason=finish_reason(answer.usage, max_tokens),
            )
        ],
        usage=CompletionUsage(**answer.usage.model_dump()),
    )


async def chunks(
    asked: ChatCompletionRequest, wanted: GenerateRequest, model: ModelClient
) -> AsyncGenerator[bytes]:
    """The answer in OpenAI's pieces; nothing goes out before the first token is there."""
    frame = ChatCompletionChunk(
        id=new_completion_id(), created=int(time.time()), model=asked.model, choices=[]
    )
    delta = Delta(role="assistant")
    usage = Usage()
    tokens = model.stream(wanted)
    async with aclosing(tokens):
        async for item in tokens:
            if isinstance(item, Usage):
                usage = item
                continue
            yield chunk(frame, asked, delta.model_copy(update={"content": item}))
            delta = Delta()
    yield chunk(frame, asked, delta, finish_reason(usage, wanted.max_tokens))
    if asked.wants_usage:
        total = CompletionUsage(**usage.model_dump())
        yield data(frame.model_copy(update={"usage": total}).model_dump())
    yield sse.DONE


def chunk(
    frame: ChatCompletionChunk,
    asked: ChatCompletionRequest,
    delta: Delta,
    reason: FinishReason | None = None,
) -> bytes:
    document = frame.model_dump()
    document["choices"] = [
        {
            **ChunkChoice(delta=delta, finish_reason=reason).model_dump(),
            "delta": delta.model_dump(exclude_none=True),
        }
    ]
    if not asked.wants_usage:
        del document["usage"]  # with it, every chunk but the last carries null
    return data(document)


def data(document: Any) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def finish_reason(usage: Usage, max_tokens: int) -> FinishReason:
    """The model service does not say why a completion ended; one that used all its tokens was cut."""
    return "length" if usage.completion_tokens >= max_tokens else "stop"


def new_completion_id() -> str:
    return f"chatcmpl-{uuid4().hex}"
