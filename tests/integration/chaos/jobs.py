"""Jobs of a thousand prompts, and whether each of them has its own answer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp

from prodigon_lib import Stack
from tests.integration.chaos.clients import Callers, Outcome

JOBS, PROMPTS = 10, 100
MAX_TOKENS = 24
FINISHED = ("completed", "failed", "cancelled")
PATIENCE = 90.0

Answers = dict[str, str]


def prompts_of(job: int) -> list[str]:
    return [f"Question {job * PROMPTS + number}" for number in range(PROMPTS)]


async def right_answers(stack: Stack, count: int = JOBS) -> Answers:
    """What the model says to each prompt: the same each time, as its seed stays."""
    asked = [prompt for job in range(count) for prompt in prompts_of(job)]
    async with aiohttp.ClientSession(stack.urls["model"]) as session:

        async def ask(prompt: str) -> str:
            body = {"prompt": prompt, "max_tokens": MAX_TOKENS}
            async with session.post("/inference", json=body, raise_for_status=True) as answer:
                return str((await answer.json())["text"])

        found = await asyncio.gather(*(ask(prompt) for prompt in asked))
    assert len(set(found)) >= 20  # else an answer in a wrong place would not be seen
    return dict(zip(asked, found, strict=True))


async def accepted(callers: Callers, key: str, *, job: int = 0) -> str:
    """Enqueue until it is accepted; the key makes it safe to repeat. Gives the job's id."""
    body = {"prompts": prompts_of(job), "max_tokens": MAX_TOKENS}
    answer = await until_answered(callers, "POST", "/api/v1/jobs", body, {"Idempotency-Key": f"{key}-{job}"})
    return str(answer.json()["job_id"])


async def all_accepted(callers: Callers, key: str, count: int = JOBS) -> list[str]:
    return list(await asyncio.gather(*(accepted(callers, key, job=job) for job in range(count))))


async def all_finished(callers: Callers, jobs: Sequence[str]) -> list[dict[str, Any]]:
    async def finished(job: str) -> dict[str, Any]:
        while True:
            view: dict[str, Any] = (await until_answered(callers, "GET", f"/api/v1/jobs/{job}")).json()
            if view["status"] in FINISHED:
                return view
            await asyncio.sleep(0.2)

    async with asyncio.timeout(PATIENCE):
        return list(await asyncio.gather(*(finished(job) for job in jobs)))


async def until_answered(
    callers: Callers, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Outcome:
    """Ask again while the system is not itself; a refusal that no time mends fails."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await callers.call(method, path, body, headers)
            if answer.ok:
                return answer
            assert answer.status in (0, 429, 502, 503, 504), answer
            await asyncio.sleep(0.1)


def check_answers(views: Sequence[dict[str, Any]], answers: Answers) -> None:
    """Each job has all its results, each in its place."""
    for job, view in enumerate(views):
        assert (view["status"], view["errors"]) == ("completed", []), view["error"]
        assert view["completed_prompts"] == view["total_prompts"] == PROMPTS
        assert view["results"] == [answers[prompt] for prompt in prompts_of(job)]
