"""What `prodigon lab` makes of its arguments."""

import os
from pathlib import Path

import pytest

from prodigon_lib.cli.lab import jupyter_options, lab_mark, open_workshop, split
from prodigon_lib.stack.lease import LAB, lab_of_this_kernel
from prodigon_lib.stack.process import start_time


@pytest.mark.parametrize(
    ("arguments", "folder", "rest"),
    [
        ([], None, []),
        (["mine"], "mine", []),
        (["mine", "--debug"], "mine", ["--debug"]),
        (["--ServerApp.token=x", "mine"], "mine", ["--ServerApp.token=x"]),
        (["--ip", "127.0.0.1"], None, ["--ip", "127.0.0.1"]),
    ],
)
def test_the_folder_is_told_from_jupyterlabs_options(
    arguments: list[str], folder: str | None, rest: list[str]
) -> None:
    assert split(arguments) == (Path(folder) if folder else None, rest)


def test_without_a_folder_the_workshop_around_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_start_here.ipynb").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert open_workshop(None) == tmp_path


def test_root_is_allowed_only_to_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "--allow-root" in jupyter_options(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "--allow-root" not in jupyter_options(tmp_path)


def test_a_kernel_knows_its_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lab_of_this_kernel() is None
    monkeypatch.setenv(LAB, lab_mark())
    assert lab_of_this_kernel() == {
        "pid": os.getpid(),
        "seconds": 300.0,
        "started": start_time(os.getpid()),
    }
