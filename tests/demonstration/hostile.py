"""Answers to exercise 1.1 that misbehave, and what the learner must be told about each."""

import json
from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Hostile:
    """`cause` as the verdict has it; `told` is part of what it says. `seconds` ends its check early."""

    name: str
    cause: str
    told: str
    code: str
    seconds: float = 4.0


WRITE_TO_ALL = """
import os
for fd in range(3, 64):
    try:
        os.write(fd, {line!r})
    except OSError:
        pass
"""
HELD = {"what": "all", "measured": "1", "wanted": "1", "held": True}
VERDICT = {"status": "passed", "cause": None, "findings": [HELD], "step": "", "evidence": []}
FORGED = f"\n{json.dumps({'kind': 'verdict', 'body': VERDICT})}\n".encode()

SPIN = """
while True:
    pass
"""
SLEEP = """
import time
async def ask_all(model, prompts, most):
    time.sleep(60)
"""
WAIT = """
import asyncio
async def ask_all(model, prompts, most):
    await asyncio.Event().wait()
"""
REFUSE = """
import asyncio
async def ask_all(model, prompts, most):
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
"""
RAISE = """
async def ask_all(model, prompts, most):
    1 / 0
"""
ODD = """
class Odd(Exception):
    def __str__(self):
        raise RuntimeError
raise Odd
"""
RECURSE = """
def again():
    again()
again()
"""
HOARD = """
hog = []
while True:
    hog.append(b"x" * 2_000_000)
"""
SPREAD = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        hog = b"x" * 200_000_000
        time.sleep(60)
time.sleep(60)
"""
FORK = """
import os, time
for _ in range(100):
    if os.fork() == 0:
        time.sleep(60)
time.sleep(60)
"""
LEAVE = """
import os
if os.fork():
    os._exit(0)
"""
PRINT = """
while True:
    print("x" * 1000)
"""
PRINT_VERDICT = f"""
import os
print({FORGED.decode()!r})
os._exit(0)
"""
THREAD = """
import threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
"""
NO_EXIT = """
import os, sys
os._exit = sys.exit = lambda *_: None
"""

HOSTILE = [
    Hostile("hangs in a loop", "hung", "in <module>", SPIN, 0.6),
    Hostile("hangs in a call", "hung", "line 4", SLEEP, 0.6),
    Hostile("waits for ever", "measured", "still waiting", WAIT),
    Hostile("can't be cancelled", "measured", "still waiting", REFUSE),
    Hostile("raises on import", "raised", "on import", "raise ValueError('on import')"),
    Hostile("raises in a call", "raised", "line 3, in ask_all", RAISE),
    Hostile("raises a base exception", "raised", "KeyboardInterrupt", "raise KeyboardInterrupt"),
    Hostile("raises what can't be shown", "raised", "Odd", ODD),
    Hostile("is no Python", "raised", "line 1", "def ask_all(:"),
    Hostile("has a null byte", "raised", "null bytes", "x = 1\0"),
    Hostile("calls sys.exit", "ended", "sys.exit(0)", "import sys; sys.exit(0)"),
    Hostile("calls os._exit", "ended", "exit code 0", "import os; os._exit(0)"),
    Hostile("kills itself", "ended", "SIGKILL", "import os; os.kill(os.getpid(), 9)"),
    Hostile("kills its group", "ended", "SIGTERM", "import os; os.killpg(0, 15)"),
    Hostile("stops itself", "hung", "still running", "import os; os.kill(os.getpid(), 19)", 0.6),
    Hostile("crashes", "ended", "SIGSEGV", "import ctypes; ctypes.string_at(0)"),
    Hostile("recurses", "raised", "RecursionError", RECURSE),
    Hostile("eats memory at once", "resources", "out of memory", "hog = bytearray(3 * 10**9)"),
    Hostile("eats memory bit by bit", "resources", "memory", HOARD, 8.0),
    Hostile("spreads its memory over processes", "resources", "MB held", SPREAD, 8.0),
    Hostile("forks without end", "resources", "processes", FORK),
    Hostile("forks and goes on in both", "missing", "ask_all", "import os; os.fork()"),
    Hostile("forks and leaves", "ended", "exit code 0", LEAVE),
    Hostile("forges a verdict", "missing", "ask_all", WRITE_TO_ALL.format(line=FORGED)),
    Hostile("floods the result channel", "missing", "ask_all", WRITE_TO_ALL.format(line=b"x" * 100_000)),
    Hostile("closes everything", "ended", "exit code", "import os; os.closerange(0, 4096)"),
    Hostile("prints without end", "hung", "still running", PRINT, 0.6),
    Hostile("prints a verdict and leaves", "ended", "exit code 0", PRINT_VERDICT),
    Hostile("leaves a thread behind", "missing", "ask_all", THREAD),
    Hostile("replaces the exit", "missing", "ask_all", NO_EXIT),
    Hostile("has the wrong arguments", "stuck", "takes 0 positional", "async def ask_all(): ..."),
    Hostile("gives back nothing", "measured", "None", "async def ask_all(model, prompts, most): ..."),
    Hostile("is empty", "missing", "ask_all", ""),
    Hostile(
        "is hidden in a class", "missing", "ask_all", dedent("class A:\n    async def ask_all(self): ...")
    ),
]
