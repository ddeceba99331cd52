"""A service that does nothing but run, with a child that does no more. Its first line is the child's pid.

It ends with its input, and its child with it.
"""

import subprocess
import sys

WAITING = "import sys; sys.stdin.read()"


def main() -> None:
    child = subprocess.Popen([sys.executable, "-I", "-c", WAITING], stdin=subprocess.PIPE)
    print(child.pid, flush=True)
    sys.stdin.read()
    child.communicate()


if __name__ == "__main__":
    main()
