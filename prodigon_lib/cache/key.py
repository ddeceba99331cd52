"""The name of an answer: made of all that would change it."""

from hashlib import sha256

import orjson

from prodigon_lib.core.ids import UserId
from prodigon_lib.core.schemas.generate import GenerateRequest

FORMAT = 1
"""Of what is kept: one that reads the other kind would answer nonsense."""


def cache_key(
    request: GenerateRequest, *, default_model: str, version: str = "", user: UserId | None = None
) -> str:
    """The same for two requests exactly when they may share an answer.

    A list of values as JSON is hashed, never text joined to text: `"ab" + "c"` is `"a" + "bc"`. A prompt and
    a single message with its text are one conversation, and share.

    Args:
        version: of what the operator puts around each request, such as a template of prompts: a new one
            leaves the old answers behind.
        user: whose answer it is, once there are accounts: it is never given to another.
    """
    turns = [[turn.role.value, turn.content] for turn in request.conversation()]
    model = request.model or default_model
    whose = None if user is None else str(user)  # a database's driver has a kind of UUID of its own
    parts = [FORMAT, version, whose, model, request.max_tokens, float(request.temperature), turns]
    return sha256(orjson.dumps(parts)).hexdigest()
