"""A provider that answers what is no answer, behind all three services."""

import asyncio

import pytest

from prodigon_lib.persistence.url import DatabaseUrl
from tests.fakes.groq_server import GOOD_KEY, Fault, groq_server
from tests.integration.chaos.clients import GENERATE, callers
from tests.integration.chaos.jobs import until_answered
from tests.integration.gateway.whole import whole_system
from tests.polling import eventually

HELLO = {"prompt": "Hello", "max_tokens": 8}
GARBAGE = {
    "nothing": b"",
    "no JSON": b"<html>it works</html>",
    "another document": b'{"choices": [{"message": {"content": 5}}]}',
    "half of one": b'{"choices": [{"mess',
    "bytes": bytes(range(256)) * 20,
    "very deep": b"[" * 50_000,
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_is_a_fault_of_the_upstream(kind: str, database: DatabaseUrl) -> None:
    """Callers get the envelope; a job's prompts wait until the provider has come to its senses."""
    async with (
        groq_server() as provider,
        whole_system(database, groq_api_key=GOOD_KEY, groq_base_url=provider.url) as url,
        callers(url) as crowd,
    ):
        provider.fault = Fault(garbage=GARBAGE[kind])
        job = (await crowd.post("/api/v1/jobs", {"prompts": ["a", "b"]})).json()["job_id"]
        whole = await asyncio.gather(*(crowd.post(GENERATE, HELLO) for _ in range(5)))
        streams = await asyncio.gather(*(crowd.stream(HELLO) for _ in range(5)))
        for outcome in (*whole, *streams):
            assert (outcome.status, outcome.code) == (502, "UPSTREAM_ERROR")
        await eventually(lambda: provider.open_calls == 0)
        provider.fault = Fault()

        async def completed() -> bool:
            view = (await until_answered(crowd, "GET", f"/api/v1/jobs/{job}")).json()
            assert view["status"] != "failed", view
            return bool(view["status"] == "completed")

        await eventually(completed, within=30)
