"""Exercise 11.1: no leaks.

A service asks a provider with a key, and a tool signs what came back with the same key. Done when a key that
is drawn for the check is used by both and can be read nowhere else, after a success, a fault and a crash:

- in no log line, of any library and at any level, nor in the provider's list of the addresses that it was
  asked for;
- in no answer to a caller, though the provider writes the key into its errors;
- in no traceback and no crash report, which has the local variables of each function in this file;
- in no `repr`, and nothing that a notebook shows of an object;
- in no command line and no environment of a child, and in no file but the one that it was delivered in.
"""

import logging
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

# <solution>
from pydantic import SecretStr

# </solution>

log = logging.getLogger("reports")


@dataclass(frozen=True)
class Settings:
    """`key_file` has the key in it. The provider takes it as `?key=…`, or as a Bearer token.

    `tool` is a command that signs its standard input. It takes the key as `--key …`, as a file's path after
    `--key-file`, as `REPORTS_KEY` in its environment, or as the first line of its input.
    """

    provider: str
    tool: Sequence[str]
    key_file: Path


class Reports:
    """Reports on what it is asked about."""

    # <gap> Keep the key so that nothing that shows an object shows it.
    # | def __init__(self, settings: Settings) -> None:
    # |     self.settings = settings
    # |     self.key = settings.key_file.read_text().strip()
    # |
    # | def __repr__(self) -> str:
    # |     return f"Reports(provider={self.settings.provider!r}, key={self.key!r})"
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # Whoever wants to read it must say so. To read the file anew each time would do as well, and would
        # see a new key at once.
        self.key = SecretStr(settings.key_file.read_text().strip())

    def __repr__(self) -> str:
        return f"Reports(provider={self.settings.provider!r}, key={self.key!r})"

    # </gap>

    def report(self, about: str) -> tuple[int, dict[str, Any]]:
        """Status and body for a caller."""
        log.info("%r is asked about %s", self, about)
        try:
            text = self.ask(about)
            return 200, {"text": text, "signature": self.sign(text)}
        except Exception as error:
            log.exception("no report about %s", about)
            return 502, {"error": str(error)}

    def ask(self, about: str) -> str:
        """What the provider says. Its errors are its own words, which may hold anything."""
        # <gap> Send the key where nobody writes it down, and tell nobody the provider's words.
        # | address = f"{self.settings.provider}?about={about}&key={self.key}"
        # | response = httpx.get(address, timeout=10)
        # | if response.is_error:
        # |     raise RuntimeError(f"{address}: {response.text}")
        # | return response.text
        # In the call and in no variable: a crash report has the variables. An address is in every log.
        response = httpx.get(
            self.settings.provider,
            params={"about": about},
            headers={"Authorization": f"Bearer {self.key.get_secret_value()}"},
            timeout=10,
        )
        if response.is_error:
            raise RuntimeError(f"the provider answered {response.status_code}")
        return response.text
        # </gap>

    def sign(self, text: str) -> str:
        """The tool's signature of `text`. Where it fails, it says on its standard error what it got."""
        # <gap> Hand the key to the tool so that neither other programs nor an error show it.
        # | done = subprocess.run(
        # |     [*self.settings.tool, "--key", self.key],
        # |     input=text,
        # |     capture_output=True,
        # |     text=True,
        # | )
        # | if done.returncode:
        # |     raise RuntimeError(f"{done.args}: {done.stderr}")
        # | return done.stdout.strip()
        # A pipe is between the two alone. The path of the file that it was delivered in would do, too.
        done = subprocess.run(
            self.settings.tool,
            input=f"{self.key.get_secret_value()}\n{text}",
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"the tool ended with {done.returncode}")
        return done.stdout.strip()
        # </gap>
