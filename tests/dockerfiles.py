"""Reads a Dockerfile as far as ours go: stages, what they copy, what the image runs and as whom."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVICES = ("gateway", "model", "worker", "monolith")


@dataclass(frozen=True)
class Instruction:
    word: str
    rest: str

    @property
    def listed(self) -> list[str]:
        """Of the exec form, which has no shell between the program and its signals."""
        found = json.loads(self.rest[self.rest.index("[") :])
        assert all(isinstance(part, str) for part in found)
        return found


@dataclass
class Stage:
    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        return [each for each in self.instructions if each.word == word]

    def only(self, word: str) -> Instruction:
        (found,) = self.all(word)
        return found

    @property
    def environment(self) -> dict[str, str]:
        pairs = [pair for each in self.all("ENV") for pair in shlex.split(each.rest)]
        return dict(pair.split("=", 1) for pair in pairs)

    @property
    def copied(self) -> list[tuple[list[str], str]]:
        """What comes from the repository, and where to; not what comes from another stage."""
        lines = [each.rest.split() for each in self.all("COPY")]
        return [(words[:-1], words[-1]) for words in lines if not words[0].startswith("--from")]


def dockerfile(service: str) -> Path:
    return ROOT / "services" / service / "Dockerfile"


def read_stages(text: str) -> list[Stage]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    defaults: dict[str, str] = {}
    stages: list[Stage] = []
    for line in joined.splitlines():
        word, rest = line.split(maxsplit=1)
        if word == "ARG":
            name, value = rest.split("=", 1)
            defaults[name] = value
        elif word == "FROM":
            for name, value in defaults.items():
                rest = rest.replace(f"${{{name}}}", value)
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        else:
            stages[-1].instructions.append(Instruction(word, rest))
    return stages


def sent_to_the_builder(path: str, ignore: Sequence[str]) -> bool:
    """Whether .dockerignore lets a path through: of the lines that match it or a folder above, the last."""
    parts = path.split("/")
    above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    ignored = False
    for line in ignore:
        pattern = line.removeprefix("!")
        anywhere = pattern.removeprefix("**/")
        if any(
            fnmatchcase(each, pattern) or (anywhere != pattern and fnmatchcase(each.split("/")[-1], anywhere))
            for each in above
        ):
            ignored = not line.startswith("!")
    return not ignored


def ignore_lines() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]
