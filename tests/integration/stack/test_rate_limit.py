"""Two gateways behind nginx count one caller together, whatever the caller says of itself."""

import asyncio
from collections import Counter

import httpx

from prodigon_lib import Stack
from tests.integration.nginx_program import needs_nginx


async def test_exactly_the_limit_gets_in_through_nginx() -> None:
    needs_nginx()
    with Stack.start(
        "limited", profile="instant", replicas={"gateway": 2}, settings={"RATE_LIMIT": "40/hour"}
    ) as stack:
        async with httpx.AsyncClient(base_url=stack.url, timeout=30) as client:
            asked = [
                client.post(
                    "/api/v1/generate",
                    json={"prompt": "Hello", "max_tokens": 4},
                    headers={"X-Forwarded-For": f"198.51.100.{number}"},
                )
                for number in range(200)
            ]
            answers = await asyncio.gather(*asked)
    assert Counter(answer.status_code for answer in answers) == {200: 40, 429: 160}
