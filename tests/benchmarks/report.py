"""What a run leaves: JSON, Markdown, a picture of each table, and the README's block."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.gateway_tables import gateway_tables
from tests.benchmarks.goals import goals_table
from tests.benchmarks.machine import in_words
from tests.benchmarks.peers import GATEWAY_NOTES, QUEUE_NOTES
from tests.benchmarks.plots import pictures
from tests.benchmarks.queue_tables import queue_tables
from tests.benchmarks.readme import with_block
from tests.benchmarks.stack_tables import stack_tables
from tests.benchmarks.tables import Table

PARTS = ("gateway", "queue", "stack")
RESULTS = "results.json"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Part:
    """The runs of one part, and what they were measured on: ratios hold within a part.

    `missing` are the peers that are not in it, and why.
    """

    runs: Sequence[Mapping[str, Any]]
    missing: Mapping[str, str]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    quick: bool
    began: str = field(default_factory=now)


@dataclass(slots=True)
class Report:
    parts: dict[str, Part] = field(default_factory=dict)

    @classmethod
    def found(cls, folder: Path) -> "Report":
        """What earlier runs left in `folder`; empty when that is nothing that can be read."""
        try:
            stored = json.loads((folder / RESULTS).read_text())["parts"]
            return cls({name: Part(**stored[name]) for name in PARTS if name in stored})
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def runs(self) -> dict[str, Sequence[Mapping[str, Any]]]:
        return {name: self.parts[name].runs for name in PARTS if name in self.parts}

    def tables(self) -> list[Table]:
        found = [goals_table(self.runs())]
        if gateway := self.parts.get("gateway"):
            found += gateway_tables(gateway.runs, gateway.missing)
        if queue := self.parts.get("queue"):
            found += queue_tables(queue.runs, queue.missing)
        if stack := self.parts.get("stack"):
            found += stack_tables(stack.runs)
        return found

    def about(self) -> str:
        """One paragraph for each machine, set of versions and length of run that is in here."""
        told: dict[str, list[str]] = {}
        for name in PARTS:
            if part := self.parts.get(name):
                words = in_words(part.machine, part.versions)
                if part.quick:
                    words += " A quick run: a few seconds a figure, so rather a check than a measurement."
                load = "/".join(f"{value:g}" for value in part.machine["load_before"])
                told.setdefault(words, []).append(f"{name} {part.began[:10]}, load average before {load}")
        return "\n\n".join(f"{words} ({'; '.join(when)})" for words, when in told.items())

    def markdown(self) -> str:
        return "\n\n".join([self.about(), *(table.markdown() for table in self.tables())])

    def document(self) -> dict[str, Any]:
        return {
            "what_each_does": {"gateway": GATEWAY_NOTES, "queue": QUEUE_NOTES},
            "parts": {name: asdict(part) for name, part in self.parts.items()},
        }

    def save(self, folder: Path) -> None:
        """`results.json`, `results.md`, and an SVG named for each table."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RESULTS).write_text(json.dumps(self.document(), indent=1) + "\n")
        (folder / "results.md").write_text(self.markdown() + "\n")
        for key, picture in pictures(self.runs()).items():
            (folder / f"{key}.svg").write_text(picture.svg)

    def update(self, page: Path) -> None:
        """Raises: ValueError: the page has no place for it."""
        page.write_text(with_block(page.read_text(), self.markdown()))
