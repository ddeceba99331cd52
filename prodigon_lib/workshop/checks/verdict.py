"""What a check found: findings with what was measured and wanted, evidence, one next step."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from prodigon_lib.workshop.table import Table, shown

LONGEST_TRANSCRIPT = 6_000


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOISY = "noisy"
    """The machine was too busy to measure on. Never wrong, and never a try."""


class Cause(StrEnum):
    """Why a check did not pass."""

    MEASURED = "measured"
    UNFINISHED = "unfinished"
    """The exercise raised `NotImplementedError`."""
    RAISED = "raised"
    ENDED = "ended"
    """The exercise ended the process, or the process died."""
    HUNG = "hung"
    RESOURCES = "resources"
    """Too much memory, or too many processes."""
    MISSING = "missing"
    """A file, or a name in it."""
    LACKING = "lacking"
    """The machine lacks a program that the check needs. Never a try."""
    STUCK = "stuck"
    """The check itself could not go on."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    measured: str
    wanted: str
    held: bool


@runtime_checkable
class PictureLike(Protocol):
    @property
    def svg(self) -> str: ...
    @property
    def words(self) -> str: ...


@dataclass(frozen=True)
class Evidence:
    """A table, a picture or a transcript, as text alone, so that it can cross from process to process."""

    kind: str
    text: str = ""
    svg: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, thing: "EvidenceLike") -> "Evidence":
        """From a `Table`, a `Picture`, or text, of which the end is kept when it is long."""
        if isinstance(thing, Evidence):
            return thing
        if isinstance(thing, Table):
            rows = tuple(tuple(shown(value) for value in row) for row in thing.rows)
            return cls("table", columns=tuple(thing.columns), rows=rows)
        if isinstance(thing, PictureLike):
            return cls("picture", text=thing.words, svg=thing.svg)
        return cls("transcript", text=shortened(thing))

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Evidence":
        columns = tuple(str(name) for name in document["columns"])
        rows = tuple(tuple(str(cell) for cell in row) for row in document["rows"])
        return cls(str(document["kind"]), str(document["text"]), str(document["svg"]), columns, rows)


EvidenceLike = Evidence | Table | PictureLike | str


@dataclass(frozen=True)
class Verdict:
    """The outcome of one run of a check, as its process reports it.

    Args:
        step: the one thing to do next; empty when it passed.
    """

    status: Status
    cause: Cause | None = None
    findings: tuple[Finding, ...] = ()
    step: str = ""
    evidence: tuple[Evidence, ...] = field(default=())

    @property
    def judged(self) -> bool:
        """Whether it says something of the answer, and not of the machine."""
        return self.status is not Status.NOISY and self.cause is not Cause.LACKING

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Verdict":
        """From `document()`, after its way through JSON.

        Raises:
            LookupError, TypeError, ValueError: it is not one.
        """
        cause = document["cause"]
        return cls(
            Status(document["status"]),
            None if cause is None else Cause(cause),
            tuple(
                Finding(str(f["what"]), str(f["measured"]), str(f["wanted"]), f["held"] is True)
                for f in document["findings"]
            ),
            str(document["step"]),
            tuple(Evidence.parse(each) for each in document["evidence"]),
        )


def fallen(
    cause: Cause, what: str, measured: str, wanted: str, step: str, *evidence: EvidenceLike
) -> Verdict:
    """A fail that no measurement found: the exercise raised, hung, died, or is not written yet."""
    shown_evidence = tuple(Evidence.of(each) for each in evidence if each != "")
    finding = Finding(what, measured, wanted, held=False)
    return Verdict(Status.FAILED, cause, (finding,), step, shown_evidence)


def shortened(text: str, longest: int = LONGEST_TRANSCRIPT) -> str:
    return text if len(text) <= longest else "…\n" + text[-longest:]
