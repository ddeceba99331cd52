"""Reads the spans of one request back from the files that the services wrote."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.record import before

POLL = 0.05


@dataclass(frozen=True, slots=True, repr=False)
class Span:
    """One piece of work. Times are nanoseconds since 1970; `children` is what it called, in order."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    service: str
    start_ns: int
    end_ns: int
    status: str
    attributes: dict[str, Any]
    children: tuple["Span", ...] = ()

    def __repr__(self) -> str:
        return f"Span({self.service}: {self.name}, {self.duration_ms:.1f} ms)"

    @property
    def duration_ms(self) -> float:
        return (self.end_ns - self.start_ns) / 1e6

    @property
    def self_ms(self) -> float:
        """Milliseconds that passed in this span and in none of its children."""
        inside, reached = 0, self.start_ns
        for child in self.children:
            inside += max(0, min(child.end_ns, self.end_ns) - max(child.start_ns, reached))
            reached = max(reached, child.end_ns)
        return (self.end_ns - self.start_ns - inside) / 1e6

    def walk(self) -> Iterator["Span"]:
        """This span and all below it, callers before what they called."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_trace(folder: StackFolder, request_id: str, *, timeout: float) -> list[Span]:
    """The spans of every trace that the request is in, callers before what they called.

    Services write their spans a moment after they end: waits up to `timeout` seconds until none is missing.
    """
    end = time.monotonic() + timeout
    while True:
        documents = spans_of(folder, request_id)
        if (documents and is_whole(documents)) or time.monotonic() > end:
            return [span for root in linked(documents) for span in root.walk()]
        time.sleep(POLL)


def spans_of(folder: StackFolder, request_id: str) -> list[dict[str, Any]]:
    files = [file for path in sorted(folder.traces.glob("*.jsonl")) for file in (before(path), path)]
    marked = lines_with(files, json.dumps(request_id))
    own = {d["trace_id"] for d in marked if d["attributes"].get("request_id") == request_id}
    return [d for trace_id in sorted(own) for d in lines_with(files, trace_id) if d["trace_id"] == trace_id]


def lines_with(files: Sequence[Path], text: str) -> list[dict[str, Any]]:
    wanted = text.encode()
    found = []
    for file in files:
        if file.is_file():
            with file.open("rb") as lines:
                found += [json.loads(line) for line in lines if wanted in line and line.endswith(b"\n")]
    return found


def is_whole(documents: Sequence[dict[str, Any]]) -> bool:
    """Whether each caller is there, and what each successful call reached.

    Only what a client asked for has no caller here: the client may be traced elsewhere.
    """
    known = {document["span_id"] for document in documents}
    called = {document["parent_id"] for document in documents}
    calls = [document for document in documents if "peer.service" in document["attributes"]]
    answered = {call["span_id"] for call in calls if call["status"] != "ERROR"}
    orphans = [document for document in documents if document["parent_id"] not in known]
    entered = [d for d in orphans if d["parent_id"] is None or (d["service"] == "gateway" and d not in calls)]
    return len(orphans) == len(entered) == 1 and called >= answered


def linked(documents: Sequence[dict[str, Any]]) -> list[Span]:
    """The spans that have no caller here, each with its children."""
    known = {document["span_id"] for document in documents}
    below: dict[str | None, list[dict[str, Any]]] = {}
    for document in sorted(documents, key=lambda each: each["start_ns"]):
        parent = document["parent_id"]
        below.setdefault(parent if parent in known else None, []).append(document)

    def build(document: dict[str, Any]) -> Span:
        children = tuple(build(child) for child in below.get(document["span_id"], []))
        return Span(**document, children=children)

    return [build(document) for document in below.get(None, [])]
