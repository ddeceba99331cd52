"""A secret that a test of a run shows is found, wherever it shows it."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

LEAKY = """
import httpx
from prodigon_lib.stack.folder import open_folder, stack_folder

def folder():
    found = stack_folder("leaky")
    open_folder(found)
    return found

def test_quiet(watch):
    folder().log("gateway").write_text("ordinary")
    print("ordinary", watch.draw("first key")[:10])

def test_log(watch):
    with folder().log("gateway").open("a") as log:
        log.write(f"refused {watch.draw('log key')}")

def test_trace(watch):
    folder().trace("model").write_text(watch.draw("trace key"))

def test_key_of_a_stack(watch):
    folder().envelope_keys.write_text("stack:c2VjcmV0LXNlY3JldC1zZWNyZXQ=")
    folder().log("worker").write_text("stack:c2VjcmV0LXNlY3JldC1zZWNyZXQ=")  # pragma: allowlist secret

def test_error_body(watch):
    body = watch.draw("body key")
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500, text=body))) as client:
        client.get("http://test")

async def test_error_body_again(watch):
    body = watch.draw("other body key")
    transport = httpx.MockTransport(lambda _: httpx.Response(401, text=body))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("http://test")

def test_after_all_of_these(watch):
    pass

def test_printed(watch):
    print(watch.draw("printed key"))
"""

FOUND = ["log key", "trace key", "an envelope key of 'leaky'", "body key", "other body key", "printed key"]


def run(folder: Path, tests: str) -> tuple[int, str]:
    """The exit code, and what was said."""
    (folder / "test_leaky.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    ours = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "PRODIGON_HOME": str(folder / "theirs")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.leaks", "-p", "no:cacheprovider", "test_leaky.py"],
        cwd=folder,
        env=os.environ | ours,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_each_planted_leak_is_found(tmp_path: Path) -> None:
    code, said = run(tmp_path, LEAKY)
    found = re.findall(r"a secret got out: (.+?), in ", said)
    assert code == 1
    assert list(dict.fromkeys(found)) == FOUND
    assert "8 passed, 6 errors" in said
