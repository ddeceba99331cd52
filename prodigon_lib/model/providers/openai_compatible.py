"""Any server that speaks OpenAI's API (Ollama, vLLM, llama.cpp), through OpenAI's official SDK."""

from prodigon_lib.core.rotation import RotatingSecret
from prodigon_lib.model.providers.sdk import Sdk, SdkProvider

NAME = "openai-compatible"
NO_KEY = "none"
"""The SDK insists on one; local servers don't look at it."""


class OpenAICompatibleProvider(SdkProvider):
    """One client from `open` to `close`. The SDK's own retries are off: retries live with the caller."""

    name = NAME

    def __init__(
        self, base_url: str, api_key: RotatingSecret | None, *, connect: float, silence: float
    ) -> None:
        """Times in seconds; `silence` is the longest wait for the next byte."""
        super().__init__(api_key or RotatingSecret("OPENAI_COMPATIBLE_KEY", NO_KEY))
        self._base_url = base_url
        self._connect = connect
        self._silence = silence

    def make_sdk(self, key: str) -> Sdk:
        import httpx2
        import openai

        client = openai.AsyncOpenAI(
            api_key=key,
            base_url=self._base_url,
            max_retries=0,
            timeout=httpx2.Timeout(self._silence, connect=self._connect),
            http_client=openai.DefaultAioHttpClient(),
        )
        options = {"stream_options": {"include_usage": True}}
        return Sdk(openai, httpx2, client, max_tokens_field="max_tokens", stream_options=options)
