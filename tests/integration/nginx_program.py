"""nginx on this machine."""

import os
from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.nginx.binary import find_nginx


def needs_nginx() -> Path:
    """The program. A laptop without one skips, with the reason; CI fails."""
    try:
        return find_nginx()
    except StackError as error:
        pytest.fail(error.message) if os.environ.get("CI") else pytest.skip(error.message)
