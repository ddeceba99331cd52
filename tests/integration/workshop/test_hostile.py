"""No answer, however it misbehaves, passes, hangs a check, or gets out of its process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from prodigon_lib.core.locations import home
from prodigon_lib.workshop.checks.supervision import Order, Run, run_check
from prodigon_lib.workshop.checks.surroundings import TAG
from prodigon_lib.workshop.checks.verdict import Status
from tests.demonstration.curriculum import demonstration
from tests.demonstration.hostile import HOSTILE, Hostile

CURRICULUM = demonstration()
EXERCISE = CURRICULUM.exercise("1.1")


DAEMON = """
import os, pathlib, time
note = pathlib.Path({note!r})
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        note.write_text(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not note.exists() or not note.read_text():
    time.sleep(0.01)
"""


TWO_MINDS = """
import os, time
IS_CHILD = os.fork() == 0

def distinct(items):
    if IS_CHILD:
        return list(dict.fromkeys(items))
    time.sleep(1)
    return []
"""


def check(folder: Path, code: str, seconds: float = 4.0) -> Run:
    answer = folder / "fan_out.py"
    answer.write_text(code)
    return run_check(Order(EXERCISE.module, CURRICULUM.import_root, answer, EXERCISE.file, 1, seconds))


def left_behind() -> list[int]:
    """Processes of a check of this test's that still live: other runs of tests may check beside this one."""
    found = []
    for process in psutil.process_iter():
        try:
            settings = process.environ()
            ours = TAG in settings and settings.get("PRODIGON_HOME") == str(home())
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_a_misbehaving_answer_fails_with_a_message(hostile: Hostile, tmp_path: Path) -> None:
    began = time.monotonic()
    run = check(tmp_path, hostile.code, hostile.seconds)
    assert run.verdict.status is Status.FAILED
    assert run.verdict.cause == hostile.cause
    finding = run.verdict.findings[-1]
    evidence = "".join(each.text for each in run.verdict.evidence)
    assert hostile.told in f"{finding.what}: {finding.measured} {evidence}"
    assert run.verdict.step
    assert time.monotonic() - began < 20
    assert not left_behind()


def test_what_is_left_behind_would_be_seen() -> None:
    with subprocess.Popen(["sleep", "60"], env={TAG: "1", "PRODIGON_HOME": str(home())}) as process:
        assert left_behind() == [process.pid]
        process.kill()


def test_a_forked_child_has_no_say(tmp_path: Path) -> None:
    exercise = CURRICULUM.exercise("1.3")
    answer = tmp_path / exercise.file
    answer.write_text(TWO_MINDS)
    run = run_check(Order(exercise.module, CURRICULUM.import_root, answer, exercise.file, 1, 6.0))
    assert run.verdict.cause == "measured"


SEND_FROM_A_FORK = """
import os
from prodigon_lib.workshop.checks.channel import Channel

reading, writing = os.pipe()
channel = Channel(writing, "word")
if os.fork() == 0:
    channel.send("verdict", {})
    os._exit(0)
_, status = os.wait()
os.close(writing)
print(os.waitstatus_to_exitcode(status), os.read(reading, 100))
"""


def test_a_forked_process_that_sends_is_ended_unheard() -> None:
    run = subprocess.run([sys.executable, "-c", SEND_FROM_A_FORK], capture_output=True, text=True, check=True)
    assert run.stdout == "1 b''\n"


def test_a_process_that_hides_is_found(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    check(tmp_path, DAEMON.format(note=str(note)))
    assert is_gone(int(note.read_text()))


def test_a_child_with_a_clean_environment_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = "import subprocess\nchild = subprocess.Popen(['sleep', '60'], env={{}})\n"
    check(tmp_path, (code + "open({note!r}, 'w').write(str(child.pid))").format(note=str(note)))
    assert is_gone(int(note.read_text()))


def test_no_secret_and_no_file_is_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "canary-7261")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary-7261@h/d")
    monkeypatch.setenv("SOME_TOKEN", "canary-7261")
    with (tmp_path / "open.txt").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        run = check(
            tmp_path,
            "import os, sys, psutil\nprint(dict(os.environ), sys.argv)\n"
            "print(psutil.Process().environ(), psutil.Process().open_files())\n",
        )
    assert "PRODIGON_CHECK" in run.output
    assert "canary-7261" not in run.output
    assert "open.txt" not in run.output


def test_it_works_in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = check(tmp_path, "open('left.txt', 'w').write('x')\nimport tempfile\nprint(tempfile.mkdtemp())\n")
    assert not (tmp_path / "left.txt").exists()
    assert not list(tmp_path.glob("__pycache__"))
    assert "Traceback" not in run.output


def test_what_it_prints_is_kept_without_control_characters(tmp_path: Path) -> None:
    run = check(
        tmp_path, "import sys\nprint('\\x1b[31mred\\x1b[0m\\x07')\nprint('to stderr', file=sys.stderr)\n"
    )
    assert run.output.splitlines() == ["red", "to stderr"]


def test_what_it_prints_at_length_is_cut_to_its_end(tmp_path: Path) -> None:
    run = check(tmp_path, "print('x' * 1_000_000)\nprint('the end')\n")
    assert len(run.output) < 20_000
    assert run.output.endswith("the end")
