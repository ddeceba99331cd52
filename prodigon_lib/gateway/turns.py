"""A chat's turn, run on the server: the question is saved first, the answer only when it is whole."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from prodigon_lib.core import sse
from prodigon_lib.core.ids import MessageId, SessionId, UserId, new_message_id
from prodigon_lib.core.schemas.chat import TurnRequest
from prodigon_lib.core.schemas.generate import GenerateRequest, Usage
from prodigon_lib.gateway.collaborators import Collaborators

QUESTION_HEADER = "X-User-Message-ID"
ANSWER_HEADER = "X-Assistant-Message-ID"


@dataclass(frozen=True, slots=True)
class StartedTurn:
    """A turn whose question is saved. `answer` is the id that the whole answer will get."""

    user: UserId
    session: SessionId
    question: MessageId
    answer: MessageId
    request: GenerateRequest


async def start_turn(
    bound: Collaborators, user: UserId, session: SessionId, asked: TurnRequest
) -> StartedTurn:
    """Save the question and put together what the model is asked.

    Raises:
        SessionNotFound: this user has no such session.
    """
    turn = await bound.chats.begin_turn(user, session, asked.content, bound.history)
    request = GenerateRequest(
        messages=turn.history,
        model=asked.model,
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
        system_prompt=asked.system_prompt if asked.system_prompt is not None else turn.system_prompt,
    )
    return StartedTurn(user, session, turn.question_id, new_message_id(), request)


async def answer_stream(bound: Collaborators, turn: StartedTurn) -> AsyncGenerator[bytes]:
    """The answer as the contract's stream. It is saved before the stream says that it is whole."""
    tokens: list[str] = []
    usage = Usage()
    begun = first = time.perf_counter()
    answer = bound.model_of(turn.user).stream(turn.request)
    async with aclosing(answer):
        async for item in answer:
            if isinstance(item, Usage):
                usage = item
                continue
            if not tokens:
                first = time.perf_counter()
            tokens.append(item)
            yield sse.token_bytes(item)
    await bound.chats.complete_turn(
        turn.user,
        turn.session,
        question=turn.question,
        answer=turn.answer,
        content="".join(tokens),
        meta={
            "model": turn.request.model,
            "usage": usage.model_dump(),
            "first_token_ms": round((first - begun) * 1e3, 1),
            "duration_ms": round((time.perf_counter() - begun) * 1e3, 1),
        },
    )
    yield sse.usage_bytes(usage)
    yield sse.DONE
