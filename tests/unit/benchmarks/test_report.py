"""What a run leaves: the README's block, Markdown, JSON that a later run adds to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.__main__ import README
from tests.benchmarks.peers import ABSENT
from tests.benchmarks.readme import BEGIN, END, with_block
from tests.benchmarks.report import Part, Report
from tests.benchmarks.tables import Table
from tests.unit.benchmarks.runs import gateway_runs, queue_runs, stack_runs

MACHINE = {
    "processor": "a chip",
    "cores": 2,
    "memory_gb": 4.0,
    "system": "Linux 6",
    "load_before": [0.5, 1.0],
}


def part(
    runs: Sequence[dict[str, Any]], *, quick: bool = False, version: str = "1.0", **missing: str
) -> Part:
    return Part(runs, missing, MACHINE, {"prodigon": version}, quick, "2026-01-02T03:04:05+00:00")


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = with_block(page, "\nnew\n")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert with_block(once, "new") == once


@pytest.mark.parametrize("page", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN} {BEGIN} {END}"])
def test_a_page_without_the_two_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="the page needs one"):
        with_block(page, "new")


def test_the_readme_has_a_place_for_the_tables() -> None:
    assert "new tables" in with_block(README.read_text(), "new tables")


def test_a_table_is_markdown_with_its_note_below() -> None:
    table = Table("key", "Title", ["a", "b"], [["x|y", "1"]], "- x: a note")
    assert table.markdown() == "**Title**\n\n| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n\n- x: a note"


def test_an_absent_peer_is_named_in_the_tables() -> None:
    report = Report({"gateway": part(gateway_runs(ours=80, bare=100), LiteLLM=ABSENT)})
    assert f"| LiteLLM | {ABSENT} |" in report.markdown()


def test_what_a_peer_does_stands_below_its_table() -> None:
    words = Report({"queue": part(queue_runs(ours=600, peer=500))}).markdown()
    assert "- pgqueuer: " in words
    assert "- procrastinate: " not in words  # neither measured nor missed


def test_parts_that_were_measured_apart_say_so() -> None:
    gateway, queue = part(gateway_runs(ours=80, bare=100)), part(queue_runs(ours=600, peer=500))
    assert Report({"gateway": gateway, "queue": queue}).about().count("Measured on a chip, 2 cores") == 1
    quick = part(queue_runs(ours=600, peer=500), quick=True, version="2.0")
    words = Report({"gateway": gateway, "queue": quick}).about()
    assert words.count("Measured on") == 2
    assert words.count("A quick run") == 1


def test_a_later_run_of_one_part_keeps_the_others(tmp_path: Path) -> None:
    first = Report({"gateway": part(gateway_runs(ours=80, bare=100), LiteLLM=ABSENT)})
    first.save(tmp_path)
    second = Report.found(tmp_path)
    second.parts["stack"] = part(stack_runs(first_token=2, before=100, after=101))
    second.save(tmp_path)
    again = Report.found(tmp_path)
    assert again == second
    assert again.parts["gateway"] == first.parts["gateway"]
    files = {path.name for path in tmp_path.iterdir()}
    assert {"results.json", "results.md", "gateway-json.svg", "stack-memory.svg"} <= files


@pytest.mark.parametrize("stored", [None, "", "[]", '{"parts": {"gateway": {"other": 1}}}'])
def test_results_that_cannot_be_read_count_as_none(tmp_path: Path, stored: str | None) -> None:
    if stored is not None:
        (tmp_path / "results.json").write_text(stored)
    assert Report.found(tmp_path) == Report()


def test_the_block_of_a_page_is_the_report(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{BEGIN}\n{END}\n")
    report = Report({"stack": part(stack_runs(first_token=2, before=100, after=101))})
    report.update(page)
    assert report.markdown() in page.read_text()
