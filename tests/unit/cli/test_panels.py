"""What `prodigon app` makes of its options, and what its page is given."""

import json
import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prodigon_lib.cli import app, page, panels
from prodigon_lib.cli.lab import SETTINGS
from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import TOUR
from prodigon_lib.stack.lease import LAB


def test_the_page_is_for_this_machine_and_the_token_is_on_no_command_line() -> None:
    options = panels.voila_options(9000)
    assert "--Voila.ip=127.0.0.1" in options
    assert "--port=9000" in options
    assert "--token" in options  # wanted, and named elsewhere
    assert panels.page_environment("secret", "mine")[panels.TOKEN] == "secret"


def test_a_page_has_ten_seconds_at_least_to_load() -> None:
    assert CliRunner().invoke(app, ["app", "--forget-after", "9"]).exit_code == 2
    options = panels.voila_options(9000, forget_after=10)
    assert {option.partition("=")[2] for option in options if "cull" in option} == {"10", "5"}


def test_voila_finds_our_template_before_any_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JUPYTER_PATH", "/somewhere")
    monkeypatch.chdir(tmp_path)
    made = panels.page_environment("t", "mine")
    assert made["JUPYTER_PATH"] == os.pathsep.join([str(SETTINGS), "/somewhere"])
    assert made[panels.FOLDER] == str(tmp_path)
    assert made[panels.STACK] == "mine"
    assert made[LAB].startswith(f"{os.getpid()}:")
    assert (SETTINGS / "voila" / "templates" / "prodigon" / "index.html.j2").is_file()


def test_a_port_that_is_taken_is_said_or_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is taken"):
            panels.free_port(port)
        monkeypatch.setattr(panels, "PORT", port)
        assert panels.free_port(None) != port
        monkeypatch.setattr(panels, "TRIED", 1)
        with pytest.raises(StackError, match="--port"):
            panels.free_port(None)
    assert CliRunner().invoke(app, ["app", "--port", "70000"]).exit_code == 2


def test_without_voila_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "find_spec", lambda _: None)
    answer = CliRunner().invoke(app, ["app"])
    assert isinstance(answer.exception, StackError)
    assert answer.exception.message == "Voilà is not installed: python -m pip install 'prodigon[lab]'"


def test_the_notebook_only_calls_the_page() -> None:
    cells = json.loads(panels.PAGE.read_text())["cells"]
    assert [cell["source"][-1] for cell in cells] == ["page()"]
    assert callable(page.page)


def test_lessons_name_their_notebooks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRODIGON_HOME", str(tmp_path))
    lab = {"url": "http://127.0.0.1:8888/", "token": "t"}
    monkeypatch.setattr(page, "running_lab", lambda _: lab)
    found = page.lessons()["lessons"]
    assert (found[0]["number"], found[0]["notebook"]) == (0, TOUR)
    assert found[1]["link"] == f"http://127.0.0.1:8888/lab/tree/notebooks/{found[1]['notebook']}?token=t"
    assert found[1]["exercises"][0]["state"] == "untouched"


def test_the_lab_that_serves_the_workshop_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(page, "jupyter_runtime_dir", lambda: str(tmp_path))
    servers = {
        "gone": {"root_dir": str(tmp_path), "pid": 2**30},
        "elsewhere": {"root_dir": "/", "pid": os.getpid()},
        "ours": {"root_dir": str(tmp_path), "pid": os.getpid()},
    }
    (tmp_path / "jpserver-0.json").write_text("half a docu")
    for name in ("gone", "elsewhere"):
        (tmp_path / f"jpserver-{name}.json").write_text(json.dumps(servers[name]))
    assert page.running_lab(tmp_path) is None
    (tmp_path / "jpserver-ours.json").write_text(json.dumps(servers["ours"]))
    assert page.running_lab(tmp_path) == servers["ours"]


def test_without_a_lab_nothing_is_linked() -> None:
    assert page.link(None, TOUR) is None
    assert page.link({"url": "http://127.0.0.1:1/", "token": ""}, TOUR).endswith(TOUR)


def test_a_system_that_does_not_start_is_said_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> None:
        raise StackError("port 8000 is taken <b>")

    monkeypatch.setattr(page, "system", fails)
    assert "port 8000 is taken &lt;b&gt;" in page.page().data
