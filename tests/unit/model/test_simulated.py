"""The simulated model as an instrument: it can be measured, repeated and sped up."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodigon_lib.core.errors import ProdigonError, RateLimited, UpstreamError
from prodigon_lib.core.schemas.generate import GenerateRequest, Message, Role, Usage
from prodigon_lib.model.providers.base import Opening
from prodigon_lib.model.providers.simulated.author import Author
from prodigon_lib.model.providers.simulated.clock import VirtualClock
from prodigon_lib.model.providers.simulated.controls import Controls, Faults, Limits
from prodigon_lib.model.providers.simulated.profiles import PROFILES, ProfileName
from prodigon_lib.model.providers.simulated.provider import SimulatedProvider
from prodigon_lib.model.providers.simulated.tokenizer import count_tokens, tokenize

LARGE = "llama-3.3-70b-versatile"
AUTHOR = Author()
ASK = GenerateRequest(prompt="Explain load balancing and caching in detail", max_tokens=150)


def provider(clock: VirtualClock, **controls: object) -> SimulatedProvider:
    return SimulatedProvider(Controls(**controls), clock=clock, author=AUTHOR)


async def token_times(model: SimulatedProvider, request: GenerateRequest = ASK) -> list[float]:
    items = model.stream(request, LARGE)
    return [model.clock.now() async for item in items if isinstance(item, str)]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_tokens_put_together_are_the_text(text: str) -> None:
    assert "".join(tokenize(text)) == text
    assert len(tokenize(text)) == count_tokens(text)


def test_one_stream_keeps_the_profiles_speed() -> None:
    clock = VirtualClock()
    times = clock.run(token_times(provider(clock)))
    profile = PROFILES[ProfileName.LARGE]
    speed = (len(times) - 1) / (times[-1] - times[0])
    assert speed == pytest.approx(profile.tokens_per_second, rel=0.15)
    assert times[0] >= profile.first_token_seconds * 0.3


def test_ten_minutes_pass_in_a_moment() -> None:
    clock = VirtualClock()
    model = provider(clock)

    async def ten_minutes() -> int:
        done = 0
        while clock.now() < 600:
            await model.complete(ASK, LARGE)
            done += 1
        return done

    began = time.monotonic()
    assert clock.run(ten_minutes()) > 500
    assert time.monotonic() - began < 60


def total_speed(streams: int) -> tuple[float, float]:
    """Tokens per second: of each stream, and of all together."""
    clock = VirtualClock()
    model = provider(clock)

    async def together() -> list[list[float]]:
        return await asyncio.gather(*(token_times(model) for _ in range(streams)))

    all_times = clock.run(together())
    each = sum((len(times) - 1) / (times[-1] - times[0]) for times in all_times) / streams
    end = max(times[-1] for times in all_times)
    return each, sum(map(len, all_times)) / end


def test_together_each_is_slower_and_all_are_faster_until_they_are_not() -> None:
    (one, total_one), (eight, total_eight), (many, total_many) = map(total_speed, (1, 8, 96))
    assert one > eight > many
    assert total_eight > total_one * 3
    assert total_many < PROFILES[ProfileName.LARGE].peak_tokens_per_second


def test_a_rate_limit_is_exact_and_its_word_is_kept() -> None:
    clock = VirtualClock()
    model = provider(clock, profile=ProfileName.INSTANT, limits=Limits(requests_per_minute=30))

    async def burst() -> tuple[int, float]:
        let_in = 0
        try:
            while True:
                await model.complete(ASK, LARGE)
                let_in += 1
        except RateLimited as refused:
            return let_in, refused.retry_after

    assert clock.run(burst()) == (30, pytest.approx(2.0))
    clock.advance(2.0)
    assert clock.run(burst())[0] == 1


def test_faults_come_as_often_as_told_and_the_same_again() -> None:
    def outcomes(seed: int) -> list[str]:
        clock = VirtualClock()
        faults = Faults(error_rate=0.3, error_status=500)
        model = provider(clock, profile=ProfileName.INSTANT, seed=seed, faults=faults)

        async def outcome() -> str:
            try:
                await model.complete(ASK, LARGE)
            except ProdigonError as error:
                return error.code
            return "ok"

        async def many() -> list[str]:
            return [await outcome() for _ in range(400)]

        return clock.run(many())

    assert outcomes(1) == outcomes(1) != outcomes(2)
    assert 80 < outcomes(1).count("UPSTREAM_ERROR") < 160


def test_a_cut_comes_after_so_many_tokens() -> None:
    clock = VirtualClock()
    model = provider(clock, faults=Faults(cut_rate=1, cut_after=7))
    seen: list[str] = []

    async def read() -> None:
        async for item in model.stream(ASK, LARGE):
            if isinstance(item, str):
                seen.append(item)  # noqa: PERF401 (what came before the cut counts)

    with pytest.raises(UpstreamError):
        clock.run(read())
    assert len(seen) == 7


def test_a_stream_opens_gives_its_tokens_and_its_usage() -> None:
    clock = VirtualClock()
    model = provider(clock)

    async def read() -> list[object]:
        return [item async for item in model.stream(ASK, LARGE)]

    opening, *tokens, usage = clock.run(read())
    assert isinstance(opening, Opening)
    assert isinstance(usage, Usage)
    assert usage.completion_tokens == len(tokens) == 150


def answer(*turns: str, system: str = "") -> str:
    roles = (Role.USER, Role.ASSISTANT)
    talk = [Message(role=roles[place % 2], content=text) for place, text in enumerate(turns)]
    return AUTHOR.write([*([Message(role=Role.SYSTEM, content=system)] if system else []), *talk])


@pytest.mark.parametrize(
    ("question", "spoken_of"),
    [
        ("How do rate limits work?", "limit"),
        ("What does SKIP LOCKED do?", "SKIP LOCKED"),
        ("Why hash passwords with Argon2id?", "Argon2"),
        ("When is gRPC faster than REST?", "gRPC"),
        ("What is a cache stampede?", "stampede"),
    ],
)
def test_answers_are_about_the_question(question: str, spoken_of: str) -> None:
    assert spoken_of.lower() in answer(question).lower()


def test_one_sentence_is_one_sentence() -> None:
    text = answer("Explain microservices in one sentence")
    assert text.count(". ") == 0
    assert answer("Explain microservices", system="Answer in one sentence.").count(". ") == 0


def test_code_is_given_when_asked_for() -> None:
    assert "```" in answer("Show me code for a lease in SQL")


def test_what_was_said_before_is_known() -> None:
    talk = ("My name is Grace. What is a lease?", "A lease is a right.", "What was my first question?")
    assert "lease" in answer(*talk)
    assert "Grace" in answer(*talk[:2], "What is my name?")
    first = answer("What is a circuit breaker?")
    more = answer("What is a circuit breaker?", first, "Tell me more")
    assert more != first
