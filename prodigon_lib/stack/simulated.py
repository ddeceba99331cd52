"""The simulated model's settings while it runs: profile, rate limits, faults, seed."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from prodigon_lib.core.errors import StackError

SECONDS = 10.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is never asked for through a proxy."""


class SimulatedModel:
    """What `GET` and `PUT /simulated` of the model service do; every replica gets the same.

    stack.simulated.set(profile="instant")
    stack.simulated.get()["profile"]
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls

    def get(self) -> dict[str, Any]:
        """What is set. Raises StackError when the model does not answer."""
        return call("GET", self._urls[0])

    def set(self, **changes: Any) -> dict[str, Any]:
        """Set what is named, and leave the rest as it is; gives all that is set then.

        Raises:
            StackError: the model refuses a value, or does not answer.
        """
        answers = [call("PUT", url, changes) for url in self._urls]
        return answers[0]

    def __repr__(self) -> str:
        return f"SimulatedModel({self.get()})"


def call(method: str, url: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if document is None else json.dumps(document).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(  # noqa: S310 (the supervisor made the address)
        f"{url}/simulated", data=data, headers=headers, method=method
    )
    try:
        with DIRECT.open(request, timeout=SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        with error:
            raise StackError(f"the model service refused: {message_of(error.read(), error.code)}") from None
    except OSError as error:
        raise StackError(f"the model service does not answer at {url}: {error}") from None


def message_of(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"it answered {status}"
