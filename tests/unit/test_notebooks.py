"""Every notebook keeps the shape that a lesson has, as it is committed."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
LONGEST_CELL = 15
MOST_BYTES = 700_000
WIDEST = 860
"""Pixels that a cell has beside JupyterLab's list of files, in a window of 1,280."""
SECTIONS = ("## What breaks in production", "## Recap", "## What next")

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_it_begins_and_ends_as_all_do(path: Path) -> None:
    words = [cell.source for cell in cells(path, "markdown")]
    assert re.match(rf"# {int(path.name[:2])} · .+\n\n\*\*", words[0])
    assert "you will be able to" in words[0]
    assert re.search(r"\*.*minutes.*\*", words[0], re.DOTALL)
    headings = [line for text in words for line in text.splitlines() if line.startswith("## ")]
    assert [heading for heading in headings if heading in SECTIONS] == list(SECTIONS)
    assert cells(path, "code")[-1].source.endswith(".stop()")


def test_its_cells_are_short(path: Path) -> None:
    assert [cell.source for cell in cells(path, "code") if len(cell.source.splitlines()) > LONGEST_CELL] == []


def test_its_outputs_are_there_and_whole(path: Path) -> None:
    code = cells(path, "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    assert not [output for output in outputs if any("widget" in kind for kind in output.get("data", {}))]
    assert path.stat().st_size <= MOST_BYTES


def test_it_names_no_path_of_the_machine_that_ran_it(path: Path) -> None:
    assert re.findall(r"/(?:tmp|root|home|Users)/[^\s\"'&]*", path.read_text()) == []


def test_its_pictures_fit_beside_the_list_of_files(path: Path) -> None:
    """JupyterLab shows an SVG in its own size, and hides what is beyond the cell."""
    outputs = [output for cell in cells(path, "code") for output in cell.outputs]
    pictures = [
        output.data["image/svg+xml"] for output in outputs if "image/svg+xml" in output.get("data", {})
    ]
    widths = [float(re.search(r'viewBox="0 0 ([\d.]+) ', picture)[1]) for picture in pictures]  # type: ignore[index]
    assert pictures
    assert max(widths) <= WIDEST


def test_code_in_a_summary_is_marked_as_html(path: Path) -> None:
    """Markdown is not read inside of an HTML block: backticks would show."""
    words = "\n".join(cell.source for cell in cells(path, "markdown"))
    assert [text for text in re.findall(r"<summary>(.*?)</summary>", words) if "`" in text] == []
