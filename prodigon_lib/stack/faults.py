"""What the system refuses, as one line that says what to do."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from prodigon_lib.core.errors import StackError

FULL = {errno.ENOSPC, errno.EDQUOT}
NOT_OURS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.EEXIST}


def explain(error: OSError, folder: Path, *, instead: str = "set PRODIGON_HOME to another folder") -> str:
    """One line on why `folder` could not be written, and what to do: `instead`."""
    place = error.filename or folder
    if error.errno in FULL:
        return f"no space left on the disk of {folder}: free some, or {instead}"
    if error.errno in NOT_OURS:
        return f"can't write {place}: {error.strerror}; {instead}"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"too many open files: raise the limit (ulimit -n 4096), then try again ({error.strerror})"
    return f"{place}: {error.strerror or error}"


@contextlib.contextmanager
def as_stack_error(folder: Path, *, instead: str = "set PRODIGON_HOME to another folder") -> Iterator[None]:
    """Turn an `OSError` of the block into a `StackError` of one line."""
    try:
        yield
    except OSError as error:
        raise StackError(explain(error, folder, instead=instead)) from None
