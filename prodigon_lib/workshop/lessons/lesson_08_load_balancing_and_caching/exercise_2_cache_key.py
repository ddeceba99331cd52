"""A right cache key."""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from itertools import permutations
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from prodigon_lib.stack.redis import RedisServer
from prodigon_lib.workshop.checks import Attempt, CallCounter, Check, Findings
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching import cache_process
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching.redis_of_a_check import (
    client_of,
    redis_of,
)
from prodigon_lib.workshop.table import Table

HINTS = (
    "Go through the fields of a request and ask of each: would another value make another answer, or one"
    " that somebody else must not see? Do the same with what is not in the request at all.",
    "A separator between the parts helps only while no part holds one. Write the parts so that each says"
    " where it ends: with its length in front, or quoted as JSON does it. Python's own hash() differs in"
    " each process.",
    "json.dumps of a list of all seven, then sha256. In answer: first return the model's own answer where"
    " the temperature is above 0 and reuse is off; then try get, except RedisError; ask; try set with ex.",
)
TEXTS = ("user", "model", "system_prompt", "prompt", "template")
BORDERS = ("", "|", ":", ",", "/", "-", "_", " ", "\n", "\x1f", "\x00", "', '", '", "', "::", "||", ";", "#")
PATIENCE = 10.0


class CacheKeyCheck(Check):
    seconds = 25

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        attempt.get("Answers")  # what can't even be loaded says so here
        async with redis_of(attempt) as server, client_of(server) as redis:
            self.redis = redis
            await self.asked_twice(server)
            await self.what_differs()
            await self.runs_into_each_other()
            await self.warm_answers()
            await self.expiry()
            await self.without_redis(server)

    def asked(self, **fields: Any) -> Any:
        """A request that nobody has made before, but for what is named."""
        token = self.attempt.token
        chosen = {"user": token(), "model": token(), "prompt": token(), "system_prompt": token(), **fields}
        return self.attempt.get("Asked")(**chosen)

    def answers(self, template: str = "v1", redis: Redis | None = None) -> tuple[Any, CallCounter]:
        """Answers of a model that says what it was asked, so that a foreign answer is seen."""

        async def answer(asked: Any) -> str:
            return told(asked, template)

        model = CallCounter(answer)
        return self.attempt.get("Answers")(redis or self.redis, model, template=template), model

    async def asked_twice(self, server: RedisServer) -> None:
        answers, model = self.answers()
        asked = self.asked(max_tokens=self.attempt.random.randint(10, 500))
        twice = [await answers.answer(asked), await answers.answer(replace(asked))]
        elsewhere = await self.in_another_process(server, asked)
        with self.findings.together():
            self.findings.equal(
                "the answer, asked for twice", twice, [told(asked, "v1")] * 2,
                step="Give back what the model said, as text.",
            )  # fmt: skip
            self.findings.equal(
                "calls of the model for the same request twice", model.calls, 1,
                step="Keep the answer under a key that the same request has again.",
            )  # fmt: skip
            self.findings.equal(
                "calls of another process' model for that request", elsewhere["calls"], 0,
                step="Make the key of the request alone: hash(), id() and a random salt differ by process.",
            )  # fmt: skip

    async def in_another_process(self, server: RedisServer, asked: Any) -> dict[str, Any]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(cache_process.__file__)), str(self.attempt.path), server.url, "v1",
            stdin=pipe, stdout=pipe,
        )  # fmt: skip
        said, _ = await process.communicate(json.dumps(asdict(asked)).encode())
        found: dict[str, Any] = json.loads(said)
        return found

    async def what_differs(self) -> None:
        """Pairs of requests that differ in one thing; the second must not get the first one's answer."""
        one = self.asked(prompt=f"Say {self.attempt.token()} " + 400 * "and so on ")
        pairs = [(name, (one, "v1"), (replace(one, **change), "v1")) for name, change in changes(one)]
        pairs.append(("template", (one, "v1"), (one, "v2")))
        foreign = await self.foreign(pairs)
        self.findings.expect(
            "got the answer of a request that differs in", measured=", ".join(foreign) or "nothing",
            wanted="nothing", holds=not foreign,
            step=f"Take {foreign[0] if foreign else 'it'} into the key, as it is.",
        )  # fmt: skip

    async def runs_into_each_other(self) -> None:
        """What stands at a border moves over it, for each two texts and many ways to join them."""
        pairs = []
        for left, right in permutations(TEXTS, 2):
            for border in BORDERS:
                start, middle, end = (self.attempt.token(5) for _ in range(3))
                one = {left: f"{start}{border}{middle}", right: end}
                other = {left: start, right: f"{middle}{border}{end}"}
                alike = asdict(self.asked(user="u", model="m", prompt="p", system_prompt="s"))
                name = f"{left} and {right}, with {border!r} between"
                pairs.append((name, self.with_texts(alike, one), self.with_texts(alike, other)))
        for text in ("user", "model", "system_prompt", "prompt"):
            start, figure = self.attempt.token(5), self.attempt.random.randint(11, 99)
            one, other = self.asked(), self.asked()
            one = replace(other, **{text: f"{start}{figure}"}, max_tokens=5)
            other = replace(other, **{text: start}, max_tokens=int(f"{figure}5"))
            pairs.append((f"{text} and max_tokens", (one, "v1"), (other, "v1")))
        foreign = await self.foreign(pairs)
        seen = Table(["ran into each other"], [[name] for name in foreign[:5]])
        self.findings.equal(
            f"collisions in {len(pairs)} pairs of requests", len(foreign), 0, evidence=seen,
            step="Write the parts so that none can look like the border between two.",
        )  # fmt: skip

    def with_texts(self, alike: dict[str, Any], texts: dict[str, str]) -> tuple[Any, str]:
        fields = {**alike, **texts}
        template = fields.pop("template", "v1")
        return self.attempt.get("Asked")(**fields), template

    async def foreign(self, pairs: Sequence[tuple[str, tuple[Any, str], tuple[Any, str]]]) -> list[str]:
        """The pairs whose second request got what the first one's answer was."""
        found = []
        for name, *requests in pairs:
            for asked, template in requests:
                answers, _ = self.answers(template)
                if await answers.answer(asked) != told(asked, template):
                    found.append(name)
                    break
        return found

    async def warm_answers(self) -> None:
        answers, model = self.answers()
        warm = self.asked(temperature=0.7)
        for _ in range(3):
            await answers.answer(warm)
        own = model.calls
        for _ in range(3):
            await answers.answer(replace(warm, reuse=True))
        shared = model.calls - own
        await answers.answer(warm)
        with self.findings.together():
            self.findings.equal(
                "calls for three requests at temperature 0.7", own, 3,
                step="Above a temperature of 0 each answer is meant to be another: ask the model.",
            )  # fmt: skip
            self.findings.equal(
                "calls for three such requests with reuse", shared, 1,
                step="With reuse an old answer is welcome, at any temperature.",
            )  # fmt: skip
            self.findings.equal(
                "calls for one more without reuse", model.calls - own - shared, 1,
                step="One who does not ask with reuse gets no kept answer, whoever kept it.",
            )  # fmt: skip

    async def expiry(self) -> None:
        for_ever = [name async for name in self.redis.scan_iter() if await self.redis.ttl(name) == -1]
        self.findings.equal(
            "kept answers that never expire", len(for_ever), 0,
            step="Give each an expiry as it is written: redis.set(key, text, ex=self.seconds).",
        )  # fmt: skip

    async def without_redis(self, server: RedisServer) -> None:
        """Killed; then back, and silent."""
        assert server.process is not None
        server.process.kill()
        await asyncio.to_thread(server.process.wait)
        await self.answered("with Redis killed")
        await asyncio.to_thread(server.start)
        async with client_of(server) as fresh:
            answers, model = self.answers(redis=fresh)
            asked = self.asked()
            for _ in range(2):
                await answers.answer(asked)
            self.findings.equal(
                "calls for the same request twice, with Redis back", model.calls, 1,
                step="Try Redis again at the next request; it comes back.",
            )  # fmt: skip
            server.process.send_signal(signal.SIGSTOP)
            try:
                await self.answered("with Redis silent", fresh)
            finally:
                server.process.send_signal(signal.SIGCONT)

    async def answered(self, when: str, redis: Redis | None = None) -> None:
        answers, _ = self.answers(redis=redis)
        requests = [self.asked() for _ in range(20)]
        got = await self.findings.finishes(
            f"20 requests {when}",
            asyncio.gather(*(answers.answer(asked) for asked in requests), return_exceptions=True),
            within=PATIENCE, step="Ask Redis once, and go on without it.",
        )  # fmt: skip
        failed = [text for text, asked in zip(got, requests, strict=True) if text != told(asked, "v1")]
        seen = Table(["instead of an answer"], [[repr(each)] for each in failed[:3]])
        self.findings.equal(
            f"requests that failed {when}", len(failed), 0, evidence=seen,
            step="A fault of the cache is no fault of the request: catch RedisError around each call to it.",
        )  # fmt: skip


def told(asked: Any, template: str) -> str:
    """What the model says: another text for each thing that it can be asked."""
    return f"answer {sha256(repr((template, asked)).encode()).hexdigest()[:12]}"


def changes(one: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("user", {"user": one.user + "x"}),
        ("model", {"model": one.model + "x"}),
        ("prompt", {"prompt": one.prompt + "x"}),
        ("capital letters of the prompt", {"prompt": one.prompt.upper()}),
        ("a space at the end of the prompt", {"prompt": one.prompt + " "}),
        ("system_prompt", {"system_prompt": ""}),
        ("max_tokens", {"max_tokens": one.max_tokens + 1}),
        ("temperature", {"temperature": 0.4, "reuse": True}),
    ]
