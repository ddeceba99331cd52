"""How fast the simulated model is, and what it costs.

The speeds are those that Groq's pages state for these models, rounded, and the prices its list prices. The
prompt's reading speed, the number of streams at once and the peaks are plausible, not measured.
"""

import random
from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf

from prodigon_lib.model.providers.base import Price


class ProfileName(StrEnum):
    LARGE = "groq-llama-3.3-70b"
    SMALL = "groq-llama-3.1-8b"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True)
class Profile:
    """One model on its hardware. Speeds are in tokens per second, times in seconds.

    Decoding goes in steps, one token for every stream in the batch. A step has a fixed part, reading the
    weights, and a part for each stream, so a stream alone has `tokens_per_second`, and all together never
    have more than `peak_tokens_per_second`.
    """

    name: ProfileName
    first_token_seconds: float
    prompt_tokens_per_second: float
    tokens_per_second: float
    peak_tokens_per_second: float
    slots: int
    """Streams that decode at once; the next one waits for its first token."""
    jitter: float
    """Standard deviation of the logarithm of a step's time."""
    price: Price

    @property
    def paced(self) -> bool:
        return self.tokens_per_second < inf

    def step_seconds(self, streams: int) -> float:
        """Time between two tokens of each of that many streams, without jitter."""
        if not self.paced:
            return 0.0
        per_stream = 1 / self.peak_tokens_per_second
        return 1 / self.tokens_per_second + per_stream * (streams - 1)

    def reading_seconds(self, prompt_tokens: int) -> float:
        """Time from a free slot to the first token, without jitter."""
        return self.first_token_seconds + prompt_tokens / self.prompt_tokens_per_second

    def jittered(self, seconds: float, chance: random.Random) -> float:
        """Around `seconds`, which stays the mean."""
        if not self.jitter or not seconds:
            return seconds
        return seconds * exp(chance.gauss(-(self.jitter**2) / 2, self.jitter))


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            ProfileName.LARGE,
            first_token_seconds=0.18,
            prompt_tokens_per_second=6000,
            tokens_per_second=280,
            peak_tokens_per_second=2800,
            slots=32,
            jitter=0.25,
            price=Price(prompt=0.59, completion=0.79),
        ),
        Profile(
            ProfileName.SMALL,
            first_token_seconds=0.09,
            prompt_tokens_per_second=20_000,
            tokens_per_second=560,
            peak_tokens_per_second=8400,
            slots=64,
            jitter=0.25,
            price=Price(prompt=0.05, completion=0.08),
        ),
        Profile(
            ProfileName.INSTANT,
            first_token_seconds=0,
            prompt_tokens_per_second=inf,
            tokens_per_second=inf,
            peak_tokens_per_second=inf,
            slots=100_000,
            jitter=0,
            price=Price(prompt=0, completion=0),
        ),
    )
}
