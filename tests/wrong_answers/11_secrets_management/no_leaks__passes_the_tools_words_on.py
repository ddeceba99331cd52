# fails: answer to the caller
import logging
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

log = logging.getLogger("reports")


@dataclass(frozen=True)
class Settings:
    provider: str
    tool: Sequence[str]
    key_file: Path


class Reports:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.key = SecretStr(settings.key_file.read_text().strip())

    def __repr__(self) -> str:
        return f"Reports(provider={self.settings.provider!r}, key={self.key!r})"

    def report(self, about: str) -> tuple[int, dict[str, Any]]:
        log.info("%r is asked about %s", self, about)
        try:
            text = self.ask(about)
            return 200, {"text": text, "signature": self.sign(text)}
        except Exception as error:
            log.exception("no report about %s", about)
            return 502, {"error": str(error)}

    def ask(self, about: str) -> str:
        response = httpx.get(
            self.settings.provider,
            params={"about": about},
            headers={"Authorization": f"Bearer {self.key.get_secret_value()}"},
            timeout=10,
        )
        if response.is_error:
            raise RuntimeError(f"the provider answered {response.status_code}")
        return response.text

    def sign(self, text: str) -> str:
        done = subprocess.run(
            self.settings.tool,
            input=f"{self.key.get_secret_value()}\n{text}",
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"the tool ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()
