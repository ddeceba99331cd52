"""What was alive when most was, C libraries included: memray, where it is installed."""

from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from prodigon_lib.core.locations import PACKAGE
from prodigon_lib.workshop.memory import MEGABYTE
from prodigon_lib.workshop.table import Table

MISSING = "memray is not installed here (it has no version for Windows): python -m pip install memray"


def high_water(work: Callable[[], object], *, most: int = 3) -> Table:
    """Runs `work`, and gives the lines that held most at its peak; one line that says so without memray.

    It hooks the allocators of the process themselves, so it sees what `tracemalloc` never hears of.
    """
    try:
        from memray import FileReader, Tracker
    except ImportError:
        return Table(["at the peak"], [(MISSING,)])
    with TemporaryDirectory(prefix="prodigon-memray-") as folder:
        file = Path(folder) / "allocations.bin"
        with ExitStack() as tracking:
            with redirect_stderr(StringIO()):  # it warns of greenlets, which SQLAlchemy has loaded
                tracking.enter_context(Tracker(file))
            work()
        with FileReader(file) as reader:
            records = list(reader.get_high_watermark_allocation_records(merge_threads=True))
            found = [(record.size, record.stack_trace(max_stacks=1)) for record in records]
    held: dict[str, int] = {}
    for size, stack in found:
        held[place(stack)] = held.get(place(stack), 0) + size
    lines = sorted(held.items(), key=lambda each: -each[1])[:most]
    return Table(["at the peak", "MB"], [(where, size / MEGABYTE) for where, size in lines])


def place(stack: list[tuple[str, str, int]]) -> str:
    """The innermost line of Python; without the folders, which are those of one machine."""
    if not stack:
        return "outside of Python"
    function, file, line = stack[0]
    path = Path(file)
    if path.is_relative_to(PACKAGE.parent):
        return f"{path.relative_to(PACKAGE.parent)}:{line}, {function}"
    return f"{'a cell' if 'ipykernel' in file else path.name}, line {line}, {function}"
