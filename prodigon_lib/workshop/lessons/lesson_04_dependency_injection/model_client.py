"""The client of exercise 4.1: one worth making once."""

import os
from dataclasses import dataclass

import aiohttp


class SettingsError(Exception):
    """A setting is missing."""


@dataclass(frozen=True)
class Settings:
    """Where the model is, and the key to it."""

    model_url: str
    api_key: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises `SettingsError`: there is no key."""
        try:
            return cls(os.environ.get("MODEL_URL", "http://127.0.0.1:8001"), os.environ["MODEL_API_KEY"])
        except KeyError as error:
            raise SettingsError(f"{error.args[0]} is not set") from None


class ModelClient:
    """Asks a model over connections that it keeps. Whoever opens one closes it.

    To open it costs a call to the model, and until that is answered the client is not there.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    async def open(cls, settings: Settings) -> "ModelClient":
        headers = {"Authorization": f"Bearer {settings.api_key}"}
        session = aiohttp.ClientSession(settings.model_url, headers=headers)
        try:
            async with session.get("/models") as response:
                response.raise_for_status()
        except BaseException:
            await session.close()
            raise
        return cls(session)

    async def generate(self, prompt: str) -> str:
        async with self._session.post("/inference", json={"prompt": prompt}) as response:
            response.raise_for_status()
            return str((await response.json())["text"])

    async def close(self) -> None:
        await self._session.close()
