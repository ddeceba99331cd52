"""A pool of processes for a lesson. Imports only the standard library: its processes import it, too."""

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Started anew and not forked: a fork of a kernel, which has threads, may inherit a lock for ever.

    Its processes end with the one that made it, however that ends; else they would wait for ever.
    """
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=end_with_parent)


def end_with_parent() -> None:
    threading.Thread(target=wait_for_its_end, name="parent", daemon=True).start()


def wait_for_its_end() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
