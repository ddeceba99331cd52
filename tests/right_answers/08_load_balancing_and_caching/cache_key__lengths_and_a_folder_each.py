"""Each part says how long it is; each user has a hash of answers' names, and the two calls share a guard."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

from redis.asyncio import Redis
from redis.exceptions import RedisError


@dataclass(frozen=True)
class Asked:
    user: str
    model: str
    prompt: str
    system_prompt: str = ""
    max_tokens: int = 1024
    temperature: float = 0.0
    reuse: bool = False


def cache_key(asked: Asked, template: str) -> str:
    digest = blake2b(digest_size=20)
    others = (template, asked.model, asked.system_prompt, asked.prompt)
    for text in (*others, f"{asked.max_tokens} {asked.temperature!r}"):
        encoded = text.encode()
        digest.update(b"%d:%b" % (len(encoded), encoded))
    return f"{asked.user.encode().hex()}/{digest.hexdigest()}"


class Answers:
    def __init__(
        self, redis: Redis, model: Callable[[Asked], Awaitable[str]], *, template: str, seconds: int = 600
    ) -> None:
        self.redis, self.model = redis, model
        self.template, self.seconds = template, seconds

    async def answer(self, asked: Asked) -> str:
        key = cache_key(asked, self.template) if asked.reuse or asked.temperature == 0 else None
        kept = None
        with suppress(RedisError):
            kept = None if key is None else await self.redis.get(key)
        if kept is not None:
            return str(kept.decode())
        text = await self.model(asked)
        if key is not None:
            with suppress(RedisError):
                await self.redis.setex(key, self.seconds, text)
        return text
