"""The kernel's half of the chat before a real gateway and a real Postgres; the model does as a test says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.widgets.chat.desk import ChatDesk
from prodigon_lib.widgets.target import Target
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.serving import serving
from tests.polling import eventually
from tests.widget_browser import FakeBrowser


@dataclass
class HeldModel(FakeModel):
    """Sends its second piece, and those after it, only once `go` is set."""

    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def forward_stream(self, body: bytes) -> Any:
        async for piece in super().forward_stream(body):
            yield piece
            await self.go.wait()


@dataclass
class Chat:
    """A browser before a chat desk."""

    browser: FakeBrowser
    desk: ChatDesk
    model: HeldModel

    async def ask(self, content: str, turn: str, **params: Any) -> Any:
        return await self.browser.answer("ask", content=content, turn=turn, **params)

    async def state(self, turn: str, wanted: str) -> dict[str, Any]:
        """The turn as told, once it is in that state."""
        states = lambda: [e["value"] for e in self.browser.events("turn") if e["value"]["id"] == turn]  # noqa: E731
        return await eventually(lambda: next((v for v in states() if v["state"] == wanted), None))

    def text(self, turn: str) -> str:
        return "".join(e["text"] for e in self.browser.events("text") if e["value"]["turn"] == turn)

    async def messages(self, session: str) -> list[tuple[str, str]]:
        opened = await self.browser.answer("open", session=session)
        return [(m["role"], m["content"]) for m in opened["session"]["messages"]]


@pytest.fixture
async def chat(database: DatabaseUrl) -> AsyncIterator[Chat]:
    model = HeldModel()
    model.go.set()
    async with serving(create_app(settings_for(database), model=model, jobs=FakeJobs())) as url:
        browser = FakeBrowser()
        desk = ChatDesk(Target(url), browser.bridge)
        browser.serve(desk.handlers())
        yield Chat(browser, desk, model)
        await browser.bridge.close()
        await desk.close()
