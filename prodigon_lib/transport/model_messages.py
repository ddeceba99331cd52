"""The model's contract as protobuf messages, to and from the schemas that HTTP uses."""

from typing import Any

from pydantic import ValidationError

from prodigon_lib.core.http.errors import from_validation
from prodigon_lib.core.schemas.generate import (
    GenerateRequest,
    GenerateResponse,
    Message,
    ModelCard,
    Role,
    Usage,
)
from prodigon_lib.transport.protos import model_v1_pb2 as pb

OPTIONAL = ("prompt", "model", "max_tokens", "temperature", "system_prompt")
TO_ROLE = {Role.SYSTEM: pb.ROLE_SYSTEM, Role.USER: pb.ROLE_USER, Role.ASSISTANT: pb.ROLE_ASSISTANT}
FROM_ROLE = {number: role for role, number in TO_ROLE.items()}


def from_request(request: GenerateRequest) -> pb.GenerateRequest:
    """Only what the caller said, so that the service's own defaults hold for the rest."""
    said = {name: getattr(request, name) for name in OPTIONAL if name in request.model_fields_set}
    return pb.GenerateRequest(
        messages=[from_message(turn) for turn in request.messages or []],
        **{name: value for name, value in said.items() if value is not None},
    )


def from_message(turn: Message) -> pb.Message:
    return pb.Message(role=TO_ROLE[turn.role], content=turn.content)


def to_request(message: pb.GenerateRequest) -> GenerateRequest:
    """The same checks as over HTTP, in the same words.

    Raises:
        ValidationFailed: a field is wrong; the message names it.
    """
    fields: dict[str, Any] = {name: getattr(message, name) for name in OPTIONAL if message.HasField(name)}
    if message.messages:
        fields["messages"] = [
            {"role": FROM_ROLE.get(turn.role), "content": turn.content} for turn in message.messages
        ]
    try:
        return GenerateRequest.model_validate(fields)
    except ValidationError as error:
        raise from_validation(error.errors(include_url=False, include_input=False)) from None


def from_response(answer: GenerateResponse) -> pb.GenerateResponse:
    return pb.GenerateResponse(
        text=answer.text, model=answer.model, usage=from_usage(answer.usage), latency_ms=answer.latency_ms
    )


def to_response(message: pb.GenerateResponse) -> GenerateResponse:
    return GenerateResponse(
        text=message.text, model=message.model, usage=to_usage(message.usage), latency_ms=message.latency_ms
    )


def from_usage(usage: Usage) -> pb.Usage:
    return pb.Usage(**usage.model_dump())


def to_usage(message: pb.Usage) -> Usage:
    return Usage(
        prompt_tokens=message.prompt_tokens,
        completion_tokens=message.completion_tokens,
        total_tokens=message.total_tokens,
    )


def from_cards(cards: list[ModelCard]) -> pb.ListModelsResponse:
    return pb.ListModelsResponse(models=[pb.ModelCard(id=card.id, provider=card.provider) for card in cards])


def to_cards(message: pb.ListModelsResponse) -> list[ModelCard]:
    return [ModelCard(id=card.id, provider=card.provider) for card in message.models]
