"""Progress survives upgrades, crashes, two writers and a broken file."""

import json
import os
from pathlib import Path

import pytest

from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.progress_file import FORMAT, NewerFormat, ProgressFile


def count(file: ProgressFile, key: str = "a") -> None:
    with file.change() as document:
        entry = document["exercises"].setdefault(key, {})
        entry["tries"] = entry.get("tries", 0) + 1


def test_what_was_written_is_read(tmp_path: Path) -> None:
    count(ProgressFile(tmp_path / "new" / "home"))
    document = ProgressFile(tmp_path / "new" / "home").read()
    assert document == {"format": FORMAT, "exercises": {"a": {"tries": 1}}, "quizzes": {}}


def test_a_first_read_finds_nothing_and_writes_nothing(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path)
    assert file.read()["exercises"] == {}
    assert not file.path.exists()


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path)
    count(file)

    def fail() -> None:
        with file.change() as document:
            document["exercises"].clear()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert file.read()["exercises"] == {"a": {"tries": 1}}


def test_a_crash_while_writing_leaves_the_old_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ProgressFile(tmp_path)
    count(file)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkshopError, match="No space left on device; set PRODIGON_HOME elsewhere"):
        count(file)
    assert file.read()["exercises"]["a"]["tries"] == 1
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": "1"}',
        '{"format": 1}',
        '{"format": 1, "exercises": [], "quizzes": {}}',
        "\0\xff",
    ],
)
def test_a_broken_file_is_kept_aside(tmp_path: Path, text: str) -> None:
    file = ProgressFile(tmp_path)
    file.path.write_text(text)
    assert file.read()["exercises"] == {}
    (aside,) = tmp_path.glob("progress.broken-*.json")
    assert aside.read_text() == text
    assert aside.name in file.notice
    count(file)
    assert ProgressFile(tmp_path).read()["exercises"] == {"a": {"tries": 1}}


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path)
    file.path.write_text('{"format": 2, "other": 1}')
    with pytest.raises(NewerFormat, match=r"format 2, this one reads up to 1.*pip install --upgrade"):
        count(file)
    assert file.path.read_text() == '{"format": 2, "other": 1}'


def test_an_older_format_is_brought_up_step_by_step(tmp_path: Path) -> None:
    count(ProgressFile(tmp_path))
    steps = {
        1: lambda document: document | {"second": True},
        2: lambda document: document | {"third": document["second"]},
    }
    file = ProgressFile(tmp_path, format=3, upgrades=steps)
    count(file)
    document = json.loads(file.path.read_text())
    assert document["format"] == 3
    assert document["third"]
    assert document["exercises"]["a"]["tries"] == 2


def test_what_this_version_does_not_know_is_kept(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path)
    file.path.write_text('{"format": 1, "exercises": {"a": {"stars": 5}}, "quizzes": {}, "badges": ["x"]}')
    count(file)
    document = json.loads(file.path.read_text())
    assert document["badges"] == ["x"]
    assert document["exercises"]["a"] == {"stars": 5, "tries": 1}
