"""What a process holds, which line of a running service grows, and a limit on its heap."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psutil
import pytest
from fastapi import FastAPI

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.memory import relative_to_imports
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.settings import Environment, Settings

KEPT: list[bytes] = []


@asynccontextmanager
async def nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


def leaky(environment: Environment = Environment.DEVELOPMENT) -> httpx.AsyncClient:
    service = Service("demo", Settings(_env_file=None, environment=environment))
    app = service.application(title="demo", description="", lifespan=nothing)

    @app.get("/leak")
    async def leak() -> None:
        KEPT.append(bytes(100_000))

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_a_running_service_names_the_line_that_grows() -> None:
    async with leaky() as http:
        before = (await http.get("/memory")).json()
        assert (before["tracing"], before["growth"]) == (False, [])
        assert (await http.put("/memory")).json()["tracing"]
        try:
            for _ in range(20):
                await http.get("/leak")
            view = (await http.get("/memory", params={"most": 3})).json()
        finally:
            KEPT.clear()
            assert (await http.delete("/memory")).status_code == 204
        assert not (await http.get("/memory")).json()["tracing"]
    top = view["growth"][0]
    assert (top["file"], top["code"]) == ("tests/unit/core/test_memory.py", "KEPT.append(bytes(100_000))")
    assert top["bytes"] == pytest.approx(2_000_000, rel=0.02)
    assert top["objects"] >= 20
    assert len(view["growth"]) <= 3


async def test_production_traces_nothing() -> None:
    async with leaky(Environment.PRODUCTION) as http:
        assert [(await http.request(verb, "/memory")).status_code for verb in ("GET", "PUT")] == [404, 404]


def test_the_resident_size_is_shown_once_for_all_services_of_a_process() -> None:
    first = Metrics("first")
    lines = Metrics("second", beside=[first]).render().decode().splitlines()
    (shown,) = [line for line in lines if line.startswith("process_resident_memory_bytes ")]
    assert float(shown.split()[1]) == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)


def test_without_proc_the_resident_size_is_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prometheus_client.ProcessCollector.collect", lambda _: [])
    text = Metrics("demo").render().decode()
    (shown,) = [line for line in text.splitlines() if line.startswith("process_")]
    assert float(shown.split()[1]) == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)


def test_a_files_name_begins_where_it_was_imported_from() -> None:
    roots = ["/a", "/a/lib", ""]
    assert relative_to_imports("/a/lib/b/c.py", roots) == "b/c.py"
    assert relative_to_imports("/elsewhere/c.py", roots) == "c.py"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process alone may write")
@pytest.mark.parametrize(("limited", "said"), [(True, "refused"), (False, "taken")])
def test_beyond_the_limit_the_heap_says_no(limited: bool, said: str) -> None:
    code = f"""
from prodigon_lib.core.limits import limit_growth
if {limited}:
    limit_growth(50_000_000)
small = bytearray(20_000_000)
try:
    large = bytearray(100_000_000)
    print("taken")
except MemoryError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said
