"""The simulated model as a provider: admission, faults, a place in the batch, tokens at the model's pace."""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b

from prodigon_lib.core.errors import BadRequest, ModelNotFound, PayloadTooLarge, UpstreamError
from prodigon_lib.core.schemas.generate import GenerateRequest, Message, Usage
from prodigon_lib.model.providers.base import Completion, Opening, Price, StreamItem
from prodigon_lib.model.providers.faults import CONTEXT_CODE, LimitReached, refusal
from prodigon_lib.model.providers.simulated.author import Author
from prodigon_lib.model.providers.simulated.batch import Batch
from prodigon_lib.model.providers.simulated.caller import current_caller
from prodigon_lib.model.providers.simulated.clock import Clock, RealClock
from prodigon_lib.model.providers.simulated.controls import Controls
from prodigon_lib.model.providers.simulated.fault_plan import Fault, FaultKind, FaultPlan
from prodigon_lib.model.providers.simulated.limits import Account, RateLimits
from prodigon_lib.model.providers.simulated.profiles import PROFILES, Profile, ProfileName
from prodigon_lib.model.providers.simulated.tokenizer import LONGEST_PIECE, count_tokens, tokenize

NAME = "simulated"
CONTEXT_TOKENS = 131_072
"""What the two models of Groq's can read at once."""
BREATH = 64
"""Tokens of an instant stream between two turns of the event loop."""
STRIDE = 16
"""Tokens that a whole answer waits for at once: nobody sees them one by one."""

MEGABYTE = 1_000_000

MODELS = {
    "llama-3.3-70b-versatile": ProfileName.LARGE,
    "llama-3.1-8b-instant": ProfileName.SMALL,
    **{name.value: name for name in ProfileName},
}


@dataclass(slots=True)
class Work:
    """One admitted request."""

    model: str
    tokens: list[str]
    prompt_tokens: int
    batch: Batch
    account: Account
    fault: Fault | None
    chance: random.Random
    opening: Opening
    reserved: int
    done: int = 0

    @property
    def profile(self) -> Profile:
        return self.batch.profile

    @property
    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.done,
            total_tokens=self.prompt_tokens + self.done,
        )


class SimulatedProvider:
    """See the package's text. `controls` may be set at any time; streams that run keep what they began with.

    Args:
        stand_ins: other names to answer to, each with the profile to play.
    """

    name = NAME

    def __init__(
        self,
        controls: Controls | None = None,
        *,
        clock: Clock | None = None,
        stand_ins: Mapping[str, ProfileName] | None = None,
        author: Author | None = None,
    ) -> None:
        self.clock = clock or RealClock()
        self._profiles = {**(stand_ins or {}), **MODELS}
        self._author = author or Author()
        self._batches: dict[tuple[str, ProfileName], Batch] = {}
        self._leaked: list[bytes] = []
        self.controls = controls or Controls()

    @property
    def controls(self) -> Controls:
        return self._controls

    @controls.setter
    def controls(self, controls: Controls) -> None:
        """New limits start with full buckets, and a new seed with the first of its faults."""
        before: Controls | None = getattr(self, "_controls", None)
        self._controls = controls
        if before is None or before.limits != controls.limits:
            self._limits = RateLimits(controls.limits, self.clock)
        if before is None or (before.faults, before.seed) != (controls.faults, controls.seed):
            self._faults = FaultPlan(controls.faults, controls.seed)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def models(self) -> list[str]:
        return list(self._profiles)

    def knows(self, model: str) -> bool:
        return model in self._profiles

    def price(self, model: str) -> Price | None:
        return self._profile(model).price if self.knows(model) else None

    async def complete(self, request: GenerateRequest, model: str) -> Completion:
        """Raises: LimitReached, ModelNotFound, BadRequest, PayloadTooLarge, and what the faults say."""
        work = self._admit(request, model)
        with self._settling(work):
            async with work.batch.slot():
                async for _ in self._paced(work, STRIDE):
                    pass
        return Completion("".join(work.tokens), model, work.usage, work.opening.headers)

    async def stream(self, request: GenerateRequest, model: str) -> AsyncGenerator[StreamItem]:
        """Raises: as `complete`; a cut comes as `UpstreamError` after some of the tokens."""
        work = self._admit(request, model)
        with self._settling(work):
            yield work.opening
            async with work.batch.slot(), aclosing(self._paced(work, 1)) as tokens:
                async for token in tokens:
                    yield token
        yield work.usage

    def in_flight(self, model: str) -> tuple[int, int]:
        """How many streams of a model decode now, and how many wait for a slot."""
        batches = [batch for (name, _), batch in self._batches.items() if name == model]
        return sum(batch.streams for batch in batches), sum(batch.waiting for batch in batches)

    def _admit(self, request: GenerateRequest, model: str) -> Work:
        if not self.knows(model):
            raise ModelNotFound(f"{NAME} has no model {model!r}")
        conversation = request.conversation()
        prompt_tokens = self._count(conversation, model)
        account = self._limits.account(current_caller.get(), model)
        reserved = prompt_tokens + request.max_tokens
        self._charge(account, reserved, model)
        if leak := self._controls.faults.leak_mb:
            self._leaked.append(b"x" * round(leak * MEGABYTE))
        fault = self._faults.draw(model)
        if fault is not None and fault.kind is FaultKind.ERROR:
            account.refund(reserved)
            raise self._refusal(fault, account, model)
        seed = self._controls.seed
        text = self._author.write(conversation, seed=seed, temperature=request.temperature)
        batch = self._batch(model)
        opening = Opening(model, account.headers(), paced=batch.profile.paced or fault is not None)
        return Work(
            model=model,
            tokens=tokenize(text)[: request.max_tokens],
            prompt_tokens=prompt_tokens,
            batch=batch,
            account=account,
            fault=fault,
            chance=random.Random(fingerprint(conversation, seed)),
            opening=opening,
            reserved=reserved,
        )

    @staticmethod
    def _count(conversation: list[Message], model: str) -> int:
        # A conversation that can't fit, however it is cut, is not worth cutting: it may be megabytes.
        characters = sum(len(message.content) for message in conversation)
        tokens = CONTEXT_TOKENS + 1
        if characters <= CONTEXT_TOKENS * LONGEST_PIECE:
            tokens = sum(count_tokens(message.content) for message in conversation)
        if tokens > CONTEXT_TOKENS:
            raise BadRequest(f"the conversation is longer than {model} can read", code=CONTEXT_CODE)
        return tokens

    @staticmethod
    def _charge(account: Account, tokens: int, model: str) -> None:
        if account.tokens is not None and tokens > account.tokens.capacity:
            raise PayloadTooLarge(
                f"the prompt and max_tokens are {tokens} tokens together, and {model} allows "
                f"{account.tokens.capacity} a minute"
            )
        wait = account.wait(tokens)
        if wait > 0:
            raise LimitReached(
                f"the rate limit of {model} is reached", retry_after=wait, rate_limits=account.headers()
            )
        account.charge(tokens)

    @staticmethod
    def _refusal(fault: Fault, account: Account, model: str) -> Exception:
        headers = dict(account.headers())
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        body = {"code": "model_not_found"} if fault.status == 404 else None
        return refusal(NAME, model, fault.status, body=body, headers=headers)

    @staticmethod
    @contextmanager
    def _settling(work: Work) -> Iterator[None]:
        """Afterwards the tokens that were reserved and not used are given back."""
        try:
            yield
        finally:
            work.account.refund(work.reserved - work.prompt_tokens - work.done)

    async def _paced(self, work: Work, stride: int) -> AsyncGenerator[str]:
        """The tokens, each when it is due; late ones at once, so that the mean speed is kept."""
        profile, clock, chance = work.profile, self.clock, work.chance
        due = clock.now() + profile.jittered(profile.reading_seconds(work.prompt_tokens), chance)
        stall = work.fault if work.fault and work.fault.kind is FaultKind.STALL else None
        cut = work.fault if work.fault and work.fault.kind is FaultKind.CUT else None
        for number, token in enumerate(work.tokens):
            if stall is not None and number == min(stall.after, len(work.tokens) - 1):
                due += stall.seconds
            if cut is not None and number == cut.after:
                break
            if number % stride == 0 or number == len(work.tokens) - 1:
                await self._until(due, number)
            work.done += 1
            yield token
            due += profile.jittered(work.batch.step_seconds(), chance)
        if cut is not None:
            raise UpstreamError(f"the connection to {NAME} broke")

    async def _until(self, due: float, number: int) -> None:
        if due > self.clock.now():
            await self.clock.sleep_until(due)
        elif number % BREATH == 0:
            await asyncio.sleep(0)

    def _profile(self, model: str) -> Profile:
        return PROFILES[self._controls.profile or self._profiles[model]]

    def _batch(self, model: str) -> Batch:
        profile = self._profile(model)
        return self._batches.setdefault((model, profile.name), Batch(profile))


def fingerprint(conversation: list[Message], seed: int) -> int:
    """A number that is the same for the same conversation and seed, in every process."""
    digest = blake2b(str(seed).encode(), digest_size=8)
    for message in conversation:
        digest.update(f"\n{message.role}\n{message.content}".encode())
    return int.from_bytes(digest.digest())
