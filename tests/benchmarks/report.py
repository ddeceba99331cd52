"""What a run leaves: JSON, Markdown, a picture of each table, and the README's block."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Report:
    """`parts` has the runs of each part, `missing` the peers that are not in it and why."""

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    quick: bool
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    parts: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    missing: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def tables(self) -> list[Table]:
        found = [goals_table(self.parts)]
        if "gateway" in self.parts:
            found += gateway_tables(self.parts["gateway"], self.missing["gateway"])
        if "queue" in self.parts:
            found += queue_tables(self.parts["queue"], self.missing["queue"])
        if "stack" in self.parts:
            found += stack_tables(self.parts["stack"])
        return found

    def markdown(self) -> str:
        about = in_words(dict(self.machine), dict(self.versions))
        if self.quick:
            about += " A quick run: a few seconds a figure, so rather a check than a measurement."
        return "\n\n".join([about, *(table.markdown() for table in self.tables())])

    def document(self) -> dict[str, Any]:
        return {
            "began": self.began,
            "quick": self.quick,
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "what_each_does": {"gateway": GATEWAY_NOTES, "queue": QUEUE_NOTES},
            "missing": self.missing,
            "parts": self.parts,
        }

    def save(self, folder: Path) -> None:
        """`results.json`, `results.md`, and an SVG named for each table."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(json.dumps(self.document(), indent=1) + "\n")
        (folder / "results.md").write_text(self.markdown() + "\n")
        for key, picture in pictures(self.parts).items():
            (folder / f"{key}.svg").write_text(picture.svg)

    def update(self, page: Path) -> None:
        """Raises: ValueError: the page has no place for it."""
        page.write_text(with_block(page.read_text(), self.markdown()))
