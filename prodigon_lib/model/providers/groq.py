"""Groq, through its official SDK."""

from prodigon_lib.core.rotation import RotatingSecret
from prodigon_lib.model.providers.sdk import Sdk, SdkProvider

NAME = "groq"
PATH = "/openai/v1"
"""The SDK adds it to the base URL by itself; people copy addresses that have it."""


class GroqProvider(SdkProvider):
    """One client from `open` to `close`. The SDK's own retries are off: retries live with the caller."""

    name = NAME

    def __init__(
        self, api_key: RotatingSecret, base_url: str | None, *, connect: float, silence: float
    ) -> None:
        """Times in seconds; `silence` is the longest wait for the next byte."""
        super().__init__(api_key)
        self._base_url = base_url.removesuffix(PATH) if base_url else None
        self._connect = connect
        self._silence = silence

    def make_sdk(self, key: str) -> Sdk:
        import groq
        import httpx

        client = groq.AsyncGroq(
            api_key=key,
            base_url=self._base_url,
            max_retries=0,
            timeout=httpx.Timeout(self._silence, connect=self._connect),
        )
        return Sdk(groq, httpx, client, max_tokens_field="max_completion_tokens", stream_options={})
