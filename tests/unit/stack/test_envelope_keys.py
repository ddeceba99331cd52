"""The keys that a stack keeps for itself."""

import stat
from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.security.envelope_keys import EnvelopeKeys
from prodigon_lib.stack.envelope_keys import kept_envelope_keys
from prodigon_lib.stack.folder import StackFolder, open_folder


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    folder = StackFolder(tmp_path, "sealed")
    open_folder(folder)
    return folder


def test_they_are_drawn_once_and_readable_by_us_alone(folder: StackFolder) -> None:
    drawn = kept_envelope_keys(folder)
    assert EnvelopeKeys.parse(drawn).newest == "stack"
    assert kept_envelope_keys(folder) == drawn
    assert stat.S_IMODE(folder.envelope_keys.stat().st_mode) == 0o600


def test_two_stacks_have_different_ones(folder: StackFolder) -> None:
    other = StackFolder(folder.home, "other")
    open_folder(other)
    assert kept_envelope_keys(folder) != kept_envelope_keys(other)


def test_damaged_ones_stop_the_start_and_are_left_as_they_are(folder: StackFolder) -> None:
    folder.envelope_keys.write_text("stack:half of")
    with pytest.raises(StackError, match="damaged"):
        kept_envelope_keys(folder)
    assert folder.envelope_keys.read_text() == "stack:half of"
