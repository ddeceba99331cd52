"""Experiments that are longer than a notebook's cell."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prodigon_lib.client import Job
    from prodigon_lib.stack import Stack


def watch_and_kill(
    stack: "Stack", job: "Job", service: str, *, after: int
) -> tuple[list[tuple[float, int]], float]:
    """Follow a job to its end, and kill a service once `after` prompts are done.

    Returns:
        Pairs of seconds since the call and prompts done by then, and the second of the kill.
    """
    began = time.perf_counter()
    samples = [(0.0, 0)]
    killed_at = 0.0
    for view in job.events():
        samples.append((time.perf_counter() - began, view.completed))
        if not killed_at and view.completed >= after:
            stack.kill(service)
            killed_at = time.perf_counter() - began
    return samples, killed_at
