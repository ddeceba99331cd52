"""Verdicts on a process that gave none: it died, it hung, it took too much."""

import signal
from pathlib import Path

from prodigon_lib.workshop.checks.verdict import Cause, Verdict, fallen

THE_EXERCISE = "the exercise"
TO_ITS_END = "it runs to its end"
MOST_PLACES = 6


def died(code: int, trace: str, path: Path) -> Verdict:
    """`code` as `Popen.returncode` has it: below zero, the signal."""
    step = "Look for what ends the process: os._exit, a kill, or recursion without an end."
    if code >= 0:
        how = f"its process ended by itself (exit code {code}) before the check was done"
    else:
        how = f"its process was ended by {signal.Signals(-code).name}"
    return fallen(Cause.ENDED, THE_EXERCISE, how, TO_ITS_END, step, places_in(trace, path))


def out_of_time(seconds: float, trace: str, path: Path) -> Verdict:
    how = f"still running after {seconds:.{0 if seconds >= 10 else 1}f} s, and ended"
    step = "Find what it waits for or repeats; the lines above are where it was."
    places = places_in(trace, path)
    if not places:
        step = "Find what it waits for or repeats: print() before and after what you suspect."
    return fallen(Cause.HUNG, THE_EXERCISE, how, TO_ITS_END, step, places)


def out_of_bounds(megabytes: int, most: int, processes: int, most_processes: int) -> Verdict | None:
    """`None` while it keeps within its limits; `most` is 0 until they are known."""
    if processes > most_processes:
        step = "Start a fixed number of processes, and never from within one of them."
        how = f"{processes} processes, and ended"
        return fallen(Cause.RESOURCES, "processes", how, f"at most {most_processes}", step)
    if most and megabytes > most:
        step = "Look for what grows without a bound, or is read whole where a piece at a time would do."
        how = f"{megabytes} MB held, and ended"
        return fallen(Cause.RESOURCES, "memory", how, f"at most {most} MB", step)
    return None


def places_in(trace: str, path: Path) -> str:
    """The lines of the exercise in what `faulthandler` wrote, innermost first."""
    start = f'File "{path}", '
    found = [line.strip().removeprefix(start) for line in trace.splitlines() if start in line]
    return "\n".join(list(dict.fromkeys(found))[:MOST_PLACES])
