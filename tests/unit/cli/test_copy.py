"""The workshop in a folder of the learner's: brought up to date, and never over an edit."""

import json
from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.workshop.copy import MANIFEST, copy_workshop

TOUR = "notebooks/00_start_here.ipynb"
TASK = "exercises/03_topic/batcher.py"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    write(root, TOUR, "the tour")
    write(root, TASK, "the task")
    write(root, "solutions/03_topic/batcher.py", "the solution")
    write(root, "notebooks/.ipynb_checkpoints/00_start_here.ipynb", "not for others")
    write(root, "migrations/env.py", "not for a learner")
    return root


@pytest.fixture
def mine(tmp_path: Path, source: Path) -> Path:
    """A folder that has been copied to."""
    copy_workshop(tmp_path / "mine", source)
    return tmp_path / "mine"


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_first_copy_has_the_learners_files(mine: Path) -> None:
    assert files(mine) == {TOUR, TASK, "solutions/03_topic/batcher.py", str(MANIFEST)}


def test_a_second_copy_changes_nothing(mine: Path, source: Path) -> None:
    write(mine, TASK, "my answer")
    done = copy_workshop(mine, source)
    assert (done.new, done.updated, done.kept) == ([], [], {})
    assert (mine / TASK).read_text() == "my answer"


def test_what_was_not_edited_is_brought_up_to_date(mine: Path, source: Path) -> None:
    write(source, TASK, "a better task")
    assert copy_workshop(mine, source).updated == [TASK]
    assert (mine / TASK).read_text() == "a better task"


def test_an_edit_is_kept_and_the_newer_is_put_beside_once(mine: Path, source: Path) -> None:
    write(mine, TASK, "my answer")
    write(source, TASK, "a better task")
    assert copy_workshop(mine, source).kept == {TASK: "exercises/03_topic/batcher.new.py"}
    assert (mine / TASK).read_text() == "my answer"
    assert (mine / "exercises/03_topic/batcher.new.py").read_text() == "a better task"
    (mine / "exercises/03_topic/batcher.new.py").unlink()
    assert copy_workshop(mine, source).kept == {}


def test_an_edited_newer_version_is_kept_too(mine: Path, source: Path) -> None:
    write(mine, TASK, "my answer")
    write(mine, "exercises/03_topic/batcher.new.py", "my other answer")
    write(source, TASK, "a better task")
    assert copy_workshop(mine, source).kept == {TASK: "exercises/03_topic/batcher.new-2.py"}
    assert (mine / "exercises/03_topic/batcher.new.py").read_text() == "my other answer"


def test_a_file_that_was_there_before_is_kept(tmp_path: Path, source: Path) -> None:
    write(tmp_path / "mine", TOUR, "my own notes")
    assert copy_workshop(tmp_path / "mine", source).kept == {TOUR: "notebooks/00_start_here.new.ipynb"}
    assert (tmp_path / "mine" / TOUR).read_text() == "my own notes"


def test_a_file_that_was_removed_comes_back(mine: Path, source: Path) -> None:
    (mine / TASK).unlink()
    assert copy_workshop(mine, source).new == [TASK]


def test_a_file_that_was_removed_after_the_learner_took_over_a_version(mine: Path, source: Path) -> None:
    write(source, TASK, "a better task")
    write(mine, TASK, "a better task")
    copy_workshop(mine, source)
    write(source, TASK, "the best task")
    assert copy_workshop(mine, source).updated == [TASK]


def test_a_copy_that_stops_in_the_middle_goes_on_the_next_time(
    mine: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source, TASK, "a better task")
    write(source, TOUR, "a better tour")
    plain = Path.replace

    def full(draft: Path, file: Path) -> Path:
        if file.name == "00_start_here.ipynb":
            raise OSError(28, "No space left on device")
        return plain(draft, file)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="space"):
            copy_workshop(mine, source)
    assert (mine / TOUR).read_text() == "the tour"
    assert set(copy_workshop(mine, source).updated) <= {TASK, TOUR}
    assert (mine / TOUR).read_text() == "a better tour"


def test_the_workshop_itself_is_opened_and_not_copied(source: Path) -> None:
    assert copy_workshop(source, source).new == []
    assert not (source / MANIFEST).exists()


def test_a_folder_inside_the_workshop_is_refused(source: Path) -> None:
    with pytest.raises(StackError, match="inside"):
        copy_workshop(source / "notebooks" / "copy", source)


def test_a_list_that_can_not_be_read_is_named(mine: Path, source: Path) -> None:
    (mine / MANIFEST).write_text(json.dumps([1]))
    with pytest.raises(StackError, match="remove it"):
        copy_workshop(mine, source)
