"""A sampling profiler for other threads of this process: a dozen lines of what py-spy does from outside."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from prodigon_lib.workshop.profile import Frame, Profile

EVERY = 0.002
SWITCH = 0.0002
"""How long a thread may keep the interpreter's lock while another wants it. With the usual 5 ms, a sampler
gets the lock when it is given up for I/O, and then sees nothing but I/O."""

IDLE = {("select", "selectors.py"), ("poll", "selectors.py"), ("wait", "threading.py")}


@dataclass
class Sampled:
    """`profile` is there once the block has ended."""

    profile: Profile = field(default_factory=lambda: Profile({}, "samples"))


@contextmanager
def sampled_threads(*names: str, every: float = EVERY) -> Iterator[Sampled]:
    """Looks at the threads of these names every `every` seconds; moments in which one waits are left out.

    It can look only when it has the interpreter's lock: what gives it up, such as I/O, is overstated.
    """
    run, done, stacks = Sampled(), threading.Event(), list[list[Frame]]()

    def look() -> None:
        while not done.wait(every):
            wanted = [each.ident for each in threading.enumerate() if each.name in names]
            frames = sys._current_frames()
            seen = (stack_of(frames[ident]) for ident in wanted if ident in frames)
            stacks.extend(stack for stack in seen if not is_idle(stack[-1]))

    looking = threading.Thread(target=look, name="sampler", daemon=True)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    looking.start()
    try:
        yield run
    finally:
        done.set()
        looking.join()
        sys.setswitchinterval(usual)
        run.profile = Profile.of(((stack, 1.0) for stack in stacks), "samples")


def stack_of(innermost: FrameType) -> list[Frame]:
    """Outermost first."""
    found = []
    frame: FrameType | None = innermost
    while frame is not None:
        found.append(Frame(frame.f_code.co_qualname, frame.f_code.co_filename))
        frame = frame.f_back
    return found[::-1]


def is_idle(frame: Frame) -> bool:
    return any(frame.function.endswith(name) and frame.file.endswith(file) for name, file in IDLE)
