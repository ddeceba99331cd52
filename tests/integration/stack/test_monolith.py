"""The three services in one process under the supervisor: found, killed, logged and traced by their names."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from prodigon_lib import Stack
from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import Health
from tests.conftest import SETTINGS
from tests.polling import eventually_sync


@pytest.fixture(scope="module")
def monolith(stack_home: Path) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv("PRODIGON_HOME", str(stack_home))
        running = Stack.start("monolith", topology="monolith", profile="instant")
    yield running
    running.stop(force=True)


def test_it_is_one_process_on_one_port(monolith: Stack) -> None:
    status = monolith.status()
    assert [part.name for part in status] == ["monolith", "postgres"]
    assert status.healthy
    assert set(monolith.urls) == {"gateway", "model", "worker"}
    assert set(monolith.urls.values()) == {monolith.url}
    listening = psutil.Process(status.part("monolith").pid).net_connections("tcp")
    assert sum(connection.status == psutil.CONN_LISTEN for connection in listening) == 1


def test_logs_and_spans_tell_the_services_apart(monolith: Stack) -> None:
    with monolith.client() as client:
        job = client.submit_job(["What is a lease?"])
        job.wait(timeout=20)
        answer = client.generate("What is a seam?")
        with pytest.raises(Exception, match="nobody"):
            client.generate("Hi", model="nobody:nothing")
    assert [span.service for span in monolith.trace(answer.request_id)] == ["gateway", "model"]
    chain = eventually_sync(lambda: len(spans := monolith.trace(job.request_id)) == 3 and spans, within=10)
    assert [span.service for span in chain] == ["gateway", "worker", "model"]
    assert {record["service"] for record in monolith.logs("gateway")} == {"gateway"}
    assert {record["service"] for record in monolith.logs("worker")} <= {"worker"}
    assert len(monolith.logs("monolith")) >= len(monolith.logs("gateway"))


def test_figures_of_all_three_stand_in_one_document(monolith: Stack) -> None:
    with monolith.client() as client:
        client.generate("What is a metric?")
    with urlopen(f"{monolith.url}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    helps = [line.split()[2] for line in lines if line.startswith("# HELP")]
    assert len(helps) == len(set(helps))
    assert any(line.startswith("prodigon_tokens_total") and 'service="model"' in line for line in lines)
    assert any(line.startswith("prodigon_queue_prompts{") for line in lines)
    assert any(line.startswith("prodigon_http_requests_total") for line in lines)


def test_the_simulated_model_is_set_where_it_is(monolith: Stack) -> None:
    assert monolith.simulated.set(seed=7)["seed"] == 7
    assert monolith.simulated.get()["profile"] == "instant"


def test_killing_a_service_kills_all_of_it(monolith: Stack) -> None:
    before = monolith.status().part("monolith")
    assert monolith.kill("worker") == before.pid
    after = eventually_sync(
        lambda: (
            (part := monolith.status().part("monolith")).restarts > before.restarts
            and part.health is Health.HEALTHY
            and part
        ),
        within=20,
    )
    assert (after.pid != before.pid, after.port) == (True, before.port)
    monolith.restart_service("model")
    assert monolith.status().part("monolith").pid != after.pid


def test_a_part_that_it_does_not_have_is_named(monolith: Stack) -> None:
    with pytest.raises(StackError, match="it has monolith, postgres"):
        monolith.kill("worker-2")
