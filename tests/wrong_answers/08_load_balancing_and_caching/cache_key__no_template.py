# fails: differs in
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from redis.asyncio import Redis
from redis.exceptions import RedisError


@dataclass(frozen=True)
class Asked:
    """One request."""

    user: str
    model: str
    prompt: str
    system_prompt: str = ""
    max_tokens: int = 1024
    temperature: float = 0.0
    reuse: bool = False


def cache_key(asked: Asked, template: str) -> str:
    """The name of an answer. `template` is the version of the template of prompts."""
    parts = [
        *(asked.user, asked.model, asked.system_prompt, asked.prompt),
        *(asked.max_tokens, asked.temperature),
    ]
    return sha256(json.dumps(parts).encode()).hexdigest()


class Answers:
    """Answers of `model`, kept in Redis for `seconds`. Calls to Redis end after a moment, or raise."""

    def __init__(
        self, redis: Redis, model: Callable[[Asked], Awaitable[str]], *, template: str, seconds: int = 600
    ) -> None:
        self.redis, self.model = redis, model
        self.template, self.seconds = template, seconds

    async def answer(self, asked: Asked) -> str:
        """From Redis where that is right, else from the model."""
        if asked.temperature > 0 and not asked.reuse:
            return await self.model(asked)
        key = cache_key(asked, self.template)
        with suppress(RedisError):
            if (kept := await self.redis.get(key)) is not None:
                return str(kept.decode())
        text = await self.model(asked)
        with suppress(RedisError):
            await self.redis.set(key, text, ex=self.seconds)
        return text
