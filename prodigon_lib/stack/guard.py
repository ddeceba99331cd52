"""Ends the children of a supervisor that was killed.

python -m prodigon_lib.stack.guard

Reads lines on its input: `+ PID STARTED SIGNAL` for a child, `- PID` for one that ended. The input ends with
the supervisor, however that ends; whatever is left of the children is then asked to stop, and killed when it
does not. It inherits the supervisor's lock, so that no other supervisor begins before it is done.
"""

import signal
import sys
import time
from typing import NamedTuple

from prodigon_lib.stack.process import is_running, send, send_to_group

PATIENCE = 4.0
POLL = 0.05


class Charge(NamedTuple):
    """A child to end: who it is, and the signal that stops it in order."""

    pid: int
    started: str
    gentle: signal.Signals


def parse(line: str, charges: dict[int, Charge]) -> None:
    """Apply one line to what is known."""
    sign, pid, *rest = line.split()
    if sign == "-":
        charges.pop(int(pid), None)
    else:
        *started, gentle = rest
        charges[int(pid)] = Charge(int(pid), " ".join(started), signal.Signals[gentle])


def end(charges: list[Charge], *, patience: float = PATIENCE) -> None:
    """Stop them all; what still runs after `patience` seconds is killed, with its own children."""
    left = [charge for charge in charges if is_running(charge.pid, charge.started)]
    for charge in left:
        send(charge.pid, charge.gentle)
        send(charge.pid, signal.SIGCONT)  # one that is paused would not hear it
    deadline = time.monotonic() + patience
    while left and time.monotonic() < deadline:
        time.sleep(POLL)
        left = [charge for charge in left if is_running(charge.pid, charge.started)]
    for charge in left:
        send_to_group(charge.pid, signal.SIGKILL)
        send(charge.pid, signal.SIGKILL)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    charges: dict[int, Charge] = {}
    for line in sys.stdin:
        if line.endswith("\n"):  # a half line is one that the supervisor died in
            parse(line, charges)
    end(list(charges.values()))


if __name__ == "__main__":
    main()
