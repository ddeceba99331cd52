"""nginx as a supervisor's part: what it refuses is taken back, what it is told goes for its workers too."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import psutil
import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import ports
from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.nginx.balance import Balance
from prodigon_lib.stack.nginx.config import USUAL_BODY
from prodigon_lib.stack.nginx.part import NginxPart, plan_nginx
from prodigon_lib.stack.options import Restart
from prodigon_lib.stack.probe import Health
from tests.integration.nginx.conftest import Replica, free_port
from tests.polling import eventually

REPLICA_SECONDS = 1.5
PATIENCE = 20.0


class NoGuard:
    """In place of a `Guardian`: the test ends what it starts."""

    def add(self, *_: object) -> None: ...

    def remove(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """A replica that takes its time."""
    replica = Replica(free_port(), tmp_path_factory.mktemp("slow") / "received.txt", REPLICA_SECONDS)
    replica.start()
    replica.wait()
    yield replica
    replica.stop()


@asynccontextmanager
async def running(program: Path, home: Path, slow: Replica) -> AsyncIterator[NginxPart]:
    """Before `model`, which answers slowly, and `model-2`, which nobody serves."""
    folder = StackFolder(home, "part")
    folder.logs.mkdir(parents=True)
    servers = {"model": {"model": slow.port, "model-2": free_port()}}
    plan = plan_nginx(program, servers, {"model": ports.listen(0)}, USUAL_BODY, Balance())
    part = NginxPart(plan, folder, NoGuard(), Restart.NEVER)  # type: ignore[arg-type]
    await part.spawn()
    family = []
    try:
        await part.works()
        family = psutil.Process(part.pid).children()
        yield part
    finally:
        await part.stop(PATIENCE)
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()


async def test_what_nginx_refuses_changes_nothing(program: Path, tmp_path: Path) -> None:
    with ports.listen(0) as listener:
        servers = {"model": {"model": 1, "model-2": 2}}
        plan = plan_nginx(program, servers, {"model": listener}, "a lot", Balance())
        part = NginxPart(replace(plan, held=[]), StackFolder(tmp_path, "refused"), None, Restart.NEVER)
        part.folder.mkdir(parents=True)
        before = part.look_at_balance()
        with pytest.raises(StackError, match="refuses"):
            await part.change({"drained": ["model-2"]})
    assert part.look_at_balance() == before
    assert " down;" not in part.config.read_text()


async def test_what_is_in_flight_ends_when_nginx_is_stopped(
    program: Path, tmp_path: Path, slow: Replica
) -> None:
    async with running(program, tmp_path, slow) as part, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{part.port}/inference"
        asked = asyncio.create_task(status_of(http, url))
        before = slow.received.total()
        await eventually(lambda: slow.received.total() > before)
        await part.stop(PATIENCE)
        assert await asked == 200


async def status_of(http: aiohttp.ClientSession, url: str) -> int:
    async with http.post(url, json={}) as answer:
        await answer.read()
        return answer.status


async def test_a_paused_nginx_does_not_answer_through_its_worker(
    program: Path, tmp_path: Path, slow: Replica
) -> None:
    async with running(program, tmp_path, slow) as part:
        part.signal(signal.SIGSTOP)
        assert (await part.health())[0] is Health.SILENT
        part.signal(signal.SIGCONT)
        assert (await part.health())[0] is Health.HEALTHY


async def test_a_killed_nginx_leaves_no_worker(program: Path, tmp_path: Path, slow: Replica) -> None:
    async with running(program, tmp_path, slow) as part:
        workers = psutil.Process(part.pid).children()
        assert workers
        part.signal(signal.SIGKILL)
        await eventually(lambda: not any(alive(each) for each in workers))


def alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


async def test_a_change_waits_for_a_worker_where_there_is_none(
    program: Path, tmp_path: Path, slow: Replica
) -> None:
    """It has just died, and its master is too busy to start another one: nobody works by the new balance."""
    async with running(program, tmp_path, slow) as part:
        master = psutil.Process(part.pid)
        master.suspend()
        for worker in master.children():
            worker.kill()
        changing = asyncio.create_task(part.change({"drained": ["model-2"]}))
        done, _ = await asyncio.wait({changing}, timeout=1.5)
        master.resume()
        assert not done
        assert (await changing)["drained"] == ["model-2"]
