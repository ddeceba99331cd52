"""A stack's places, and the format of the home they are in."""

import errno
import os
from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.faults import as_stack_error
from prodigon_lib.stack.folder import (
    FORMAT,
    bring_up,
    known_stacks,
    open_folder,
    private_folder,
    stack_folder,
)


@pytest.mark.parametrize("name", ["", "Tour", "a/b", "..", "a" * 41, "-x", "a b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(StackError, match="no name"):
        stack_folder(name)


def test_a_new_home_gets_the_format(tmp_path: Path) -> None:
    open_folder(stack_folder("tour", tmp_path))
    assert (tmp_path / "format").read_text() == f"{FORMAT}\n"
    assert [folder.name for folder in known_stacks(tmp_path)] == ["tour"]


def test_an_older_home_takes_each_step_once(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("1\n")
    taken: list[int] = []
    steps = {1: lambda _: taken.append(1), 2: lambda _: taken.append(2)}
    bring_up(tmp_path, steps, newest=3)
    bring_up(tmp_path, steps, newest=3)
    assert taken == [1, 2]
    assert (tmp_path / "format").read_text() == "3\n"


def test_a_step_that_fails_is_taken_again(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("1\n")

    def fails(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="space"):
        bring_up(tmp_path, {1: lambda _: None, 2: fails}, newest=3)
    assert (tmp_path / "format").read_text() == "2\n"


@pytest.mark.parametrize(("text", "word"), [("99\n", "newer"), ("what?", "no version")])
def test_a_format_that_is_not_known_is_refused(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "format").write_text(text)
    with pytest.raises(StackError, match=word):
        open_folder(stack_folder("tour", tmp_path))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EDQUOT, "no space left"),
        (errno.EROFS, "PRODIGON_HOME"),
        (errno.EACCES, "PRODIGON_HOME"),
        (errno.EMFILE, "open files"),
    ],
)
def test_what_the_system_refuses_is_one_line(number: int, words: str) -> None:
    with pytest.raises(StackError, match=words) as caught, as_stack_error(Path("/somewhere")):
        raise OSError(number, os.strerror(number), "/somewhere/format")
    assert "\n" not in caught.value.message


def test_a_home_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="PRODIGON_HOME"):
        open_folder(stack_folder("tour", tmp_path / "file" / "home"))


def test_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    near = stack_folder("tour", Path("/h")).socket_folder()
    far = stack_folder("tour", tmp_path / ("long" * 30)).socket_folder()
    assert near == Path("/h/stacks/tour")
    assert len(str(far)) < 90
    far.rmdir()


def test_a_folder_that_others_can_enter_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(StackError, match="not ours"):
        private_folder(folder)
