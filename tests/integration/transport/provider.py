"""A provider that does as a test tells it, and notes what became of its calls."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.deadline import remaining
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.schemas.generate import GenerateRequest, Usage
from prodigon_lib.model.providers.base import Completion, Opening, Price, StreamItem
from prodigon_lib.model.providers.simulated.caller import current_caller

TOKENS = ["One", " more", " tökén", ",\n\n", "and “quotes”", " 🦉"]
USAGE = Usage(prompt_tokens=3, completion_tokens=6, total_tokens=9)


@dataclass
class ScriptedProvider:
    """`fault` is raised before token number `fault_at`; `silent_at` is the token that never comes."""

    name: str = "scripted"
    fault: Exception | None = None
    fault_at: int = 0
    silent_at: int | None = None
    asked: list[GenerateRequest] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    budgets: list[float | None] = field(default_factory=list)
    running: int = 0
    cancelled: int = 0

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def complete(self, request: GenerateRequest, model: str) -> Completion:
        items = [item async for item in self.stream(request, model)]
        text = "".join(item for item in items if isinstance(item, str))
        return Completion(text, model, USAGE, {"x-ratelimit-limit-requests": "30"})

    async def stream(self, request: GenerateRequest, model: str) -> AsyncGenerator[StreamItem]:
        self.asked.append(request)
        self.request_ids.append(request_id_or())
        self.callers.append(current_caller.get())
        self.budgets.append(remaining())
        self.running += 1
        try:
            if self.fault is None or self.fault_at:
                yield Opening(model, {"x-ratelimit-limit-requests": "30"})
            for place, token in enumerate([*TOKENS, None]):
                if self.fault is not None and place == self.fault_at:
                    raise self.fault
                if self.silent_at == place:
                    await asyncio.Event().wait()
                if token is not None:
                    yield token
            yield USAGE
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def models(self) -> list[str]:
        if isinstance(self.fault, ProdigonError):
            raise self.fault
        return ["large", "small"]

    def knows(self, model: str) -> bool | None:
        return model != "no-such-model"

    def price(self, model: str) -> Price | None:
        return None
