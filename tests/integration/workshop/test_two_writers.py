"""Two processes that write progress lose nothing of each other."""

import multiprocessing
from pathlib import Path

from prodigon_lib.workshop.progress_file import ProgressFile

TIMES = 40


def count_many(folder: Path) -> None:
    for _ in range(TIMES):
        with ProgressFile(folder).change() as document:
            entry = document["exercises"].setdefault("a", {"tries": 0})
            entry["tries"] += 1


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Without the lock each would read what the other is about to replace."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=count_many, args=(tmp_path,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert ProgressFile(tmp_path).read()["exercises"]["a"]["tries"] == 2 * TIMES
