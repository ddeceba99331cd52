"""The service of exercise 11.2, in a process of its own: it works with a key that an answer rotates.

python rotation_process.py FILE CLASS ISSUER LEASE_SECONDS [PORT]

The first line that it says is its URL. `GET /work` does one piece of work at the issuer, `POST /rotate`
rotates, and both say who answered: the process, and a word that it drew when it began.
"""

import asyncio
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from prodigon_lib.workshop.checks.loading import load_module
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.provider import serving_provider


class Service:
    def __init__(self, session: aiohttp.ClientSession, kind: Any, lease: float) -> None:
        self.session = session
        self.who = f"{os.getpid()} {secrets.token_hex(4)}"
        self.keys = kind(self.issue, self.revoke, lease=lease)

    async def issue(self) -> str:
        async with self.session.post("/issue") as response:
            response.raise_for_status()
            return await response.text()

    async def revoke(self, key: str) -> None:
        async with self.session.post("/revoke", headers={"Authorization": f"Bearer {key}"}) as response:
            response.raise_for_status()

    async def work(self, query: str) -> int:
        async with (
            self.keys.use() as key,
            self.session.get(f"/work?{query}", headers={"Authorization": f"Bearer {key}"}) as response,
        ):
            return response.status

    async def answer(self, request: web.Request) -> web.Response:
        try:
            if request.path == "/rotate":
                await self.keys.rotate()
                status = 200
            else:
                status = 200 if await self.work(request.query_string) == 200 else 502
        except Exception as error:
            return web.json_response({"who": self.who, "error": repr(error)}, status=500)
        return web.json_response({"who": self.who}, status=status)


async def main(file: str, name: str, issuer: str, lease: str, port: str = "0") -> None:
    kind = getattr(load_module(Path(file)), name)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(issuer, connector=connector) as session:
        service = Service(session, kind, float(lease))
        await service.keys.start()
        async with serving_provider(service.answer, int(port)) as url:
            print(url, flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
