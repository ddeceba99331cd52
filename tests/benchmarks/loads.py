"""What a gateway is asked: whole completions, and streams that the model server paces."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PROMPT = "Summarise the following text in two sentences. " + 14 * (
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit. "
)
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}


class Style(StrEnum):
    """How a gateway wants its requests."""

    OPENAI = "openai"
    PROMPT = "prompt"


class Mode(StrEnum):
    JSON = "json"
    FIRST = "first"
    """Short streams, for the time to the first token."""
    PACED = "paced"
    """1,000 tokens a second and stream: what prices a token."""


STEERING = {Mode.JSON: "", Mode.FIRST: " @n=20", Mode.PACED: " @gap=1 @n=200"}
"""The model server reads these in the prompt, so that they come through any gateway."""


@dataclass(frozen=True, slots=True)
class Load:
    mode: Mode
    in_flight: int

    @classmethod
    def json(cls, in_flight: int) -> "Load":
        return cls(Mode.JSON, in_flight)

    @property
    def streams(self) -> bool:
        return self.mode is not Mode.JSON

    @property
    def name(self) -> str:
        return f"{self.mode}-{self.in_flight}"

    def body(self, style: Style) -> bytes:
        text = PROMPT + STEERING[self.mode]
        document: dict[str, Any] = {"model": "mock", "temperature": 0.7, "max_tokens": 1024}
        if style is Style.PROMPT:
            return json.dumps({**document, "prompt": text}).encode()
        document["messages"] = [SYSTEM, {"role": "user", "content": text}]
        return json.dumps({**document, **({"stream": True} if self.streams else {})}).encode()


LOADS = (
    Load.json(1),
    Load.json(16),
    Load.json(64),
    Load(Mode.FIRST, 1),
    Load(Mode.PACED, 64),
)
