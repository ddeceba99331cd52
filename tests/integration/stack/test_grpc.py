"""A stack whose services reach the model over gRPC."""

from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest
from grpc import insecure_channel

from prodigon_lib import Stack
from prodigon_lib.core.errors import StackError, UpstreamError
from prodigon_lib.stack.ports import listen
from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.transport.protos.model_v1_pb2_grpc import ModelStub
from tests.polling import eventually_sync

METHOD = "/prodigon.model.v1.Model/"


@pytest.fixture(scope="module")
def over_grpc(stack: Stack) -> Iterator[Stack]:
    """`stack` has set the home."""
    running = Stack.start("grpc", grpc=True, faults=True, replicas={"model": 2}, profile="instant")
    yield running
    running.stop(force=True)


def spans_of(stack: Stack, request_id: str) -> list[str]:
    return [f"{span.service}: {span.name}" for span in stack.trace(request_id)]


def test_each_model_says_where_it_answers(over_grpc: Stack) -> None:
    status, urls = over_grpc.status(), over_grpc.urls
    for name in ("model", "model-2"):
        part = status.part(name)
        assert urls[f"{name}-grpc"] == f"grpc://127.0.0.1:{part.grpc_port}"
        assert urls[name] == f"http://127.0.0.1:{part.port}"
        assert f"gRPC on port {part.grpc_port}" in str(status)
        with insecure_channel(f"127.0.0.1:{part.grpc_port}") as channel:
            answer = ModelStub(channel).Generate(pb.GenerateRequest(prompt="What is a lease?"), timeout=10)
        assert answer.text
        sockets = psutil.Process(part.pid).net_connections("inet")
        ends = {each.laddr.ip.removeprefix("::ffff:") for each in sockets if each.status == "LISTEN"}
        assert ends == {"127.0.0.1"}
    assert status.part("gateway").grpc_port is None


def test_the_gateway_and_the_worker_call_it_that_way(over_grpc: Stack) -> None:
    with over_grpc.client() as client:
        answer = client.generate("What is a lease?")
        assert f"model: {METHOD}Generate" in spans_of(over_grpc, answer.request_id)
        stream = client.stream("What is a lease?")
        assert stream.text() == answer.text
        assert f"model: {METHOD}StreamGenerate" in spans_of(over_grpc, stream.request_id)
        job = client.submit_job(["What is a lease?"] * 5)
        assert job.wait(timeout=30).results == [answer.text] * 5
        assert f"model: {METHOD}Generate" in spans_of(over_grpc, job.request_id)
    assert over_grpc.logs("model", request_id=answer.request_id)[-1]["status"] == "OK"


def test_both_models_get_work_and_one_that_died_is_found_again(over_grpc: Stack) -> None:
    with over_grpc.client() as client:
        for _ in range(6):
            client.generate("Hello")
        for name in ("model", "model-2"):
            assert [each for each in over_grpc.logs(name) if each.get("method") == "GRPC"]
        ports = {part.name: part.grpc_port for part in over_grpc.status()}
        over_grpc.kill("model")
        with suppress(UpstreamError):  # a call that was sent before its death was noticed is not sent again
            for _ in range(2):
                client.generate("Hello")
        for _ in range(20):
            assert client.generate("Hello").text  # the other one answers meanwhile
        eventually_sync(lambda: over_grpc.status().healthy, within=20)
        assert {part.name: part.grpc_port for part in over_grpc.status()} == ports


def test_the_simulated_model_is_set_on_all_of_them(over_grpc: Stack) -> None:
    assert over_grpc.simulated.set(seed=9)["seed"] == 9
    assert over_grpc.simulated.set(seed=0)["seed"] == 0


def test_faults_stand_on_the_edge_that_is_used(over_grpc: Stack) -> None:
    with over_grpc.faults["gateway→model"].set(latency=0.3), over_grpc.client() as client:
        answer = client.generate("Hello")
    spans = {f"{span.service}: {span.name}": span for span in over_grpc.trace(answer.request_id)}
    call, served = spans["gateway: call model"], spans[f"model: {METHOD}Generate"]
    assert call.end_ns - call.start_ns > served.end_ns - served.start_ns + 0.25e9


def test_a_port_that_is_asked_for_is_used_or_refused(stack: Stack) -> None:
    taken = listen(0)
    port = taken.getsockname()[1]
    with taken, pytest.raises(StackError, match=f"MODEL_GRPC_PORT: port {port} is taken"):
        Stack.start("grpc-port", profile="instant", settings={"MODEL_GRPC_PORT": port})
