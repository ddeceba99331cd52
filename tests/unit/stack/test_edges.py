"""Edges by name, their faults by value, and the addresses that a proxy gives."""

from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.stack.address import database_address, redis_through_proxy, through_proxy
from prodigon_lib.stack.edges.faults import EdgeFaults
from prodigon_lib.stack.edges.plan import EdgePlan, matching, split_name

PAIRS = [("gateway", "model"), ("gateway", "model-2"), ("worker", "model"), ("worker-2", "model")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"latency": -1},
        {"latency": "slow"},
        {"latency": float("nan")},
        {"jitter": 601},
        {"drop": 1.1},
        {"drop": True},
        {"cut_after": -1},
        {"cut_after": 1.5},
        {"bandwidth": 0},
        {"refuse": 1},
        {"black_hole": "yes"},
        {"seed": None},
    ],
)
def test_a_wrong_value_is_named(wrong: dict) -> None:
    with pytest.raises(StackError, match=next(iter(wrong))):
        EdgeFaults().changed(wrong)


def test_a_misspelt_fault_is_named_with_the_right_one() -> None:
    with pytest.raises(StackError, match="did you mean latency"):
        EdgeFaults().changed({"latncy": 1})


def test_what_is_not_named_stays() -> None:
    faults = EdgeFaults(latency=1.0).changed({"drop": 0.5})
    assert faults.harm() == {"latency": 1.0, "drop": 0.5}
    assert EdgeFaults().harm() == {}


def test_a_service_means_all_its_replicas() -> None:
    assert matching(PAIRS, "gateway", "model") == PAIRS[:2]
    assert matching(PAIRS, "worker", "model") == PAIRS[2:]
    assert matching(PAIRS, "worker-2", "model") == [("worker-2", "model")]


def test_an_edge_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(StackError, match="gateway→model, worker→model"):
        matching(PAIRS, "model", "gateway")


@pytest.mark.parametrize("name", ["gateway→model", "gateway->model", "gateway -> model"])
def test_both_arrows_name_an_edge(name: str) -> None:
    assert split_name(name) == ("gateway", "model")


def test_a_name_without_an_arrow_is_refused() -> None:
    with pytest.raises(StackError, match="gateway->model"):
        split_name("gateway")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://me@host:99/db", ("host", 99)),
        ("postgresql://host/db?sslmode=require", ("host", 5432)),
        ("postgresql://me@/db?host=/run/pg", "/run/pg/.s.PGSQL.5432"),
        ("postgresql://me@/db?host=/run/pg&port=99", "/run/pg/.s.PGSQL.99"),
    ],
)
def test_a_database_keeps_all_but_its_place_behind_a_proxy(url: str, address: object, tmp_path: Path) -> None:
    assert database_address(url) == address
    plan = EdgePlan(tmp_path)
    behind = parse_database_url(through_proxy(url, "worker-2", plan))
    (edge,) = plan.edges
    plan.close()
    assert (edge.name, edge.connect) == ("worker-2→postgres", address)
    assert database_address(behind.dsn) == edge.listen
    direct = parse_database_url(url)
    assert (behind.name, behind.connect_args) == (direct.name, direct.connect_args)
    assert ("me@" in behind.dsn) == ("me@" in url)


def test_a_certificate_that_names_the_host_can_not_go_through_a_proxy(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="verify-ca"):
        through_proxy("postgresql://host/db?sslmode=verify-full", "worker", EdgePlan(tmp_path))


@pytest.mark.parametrize(
    ("url", "behind", "begins"),
    [
        ("unix:///run/my%20redis.sock?db=2", "/run/my redis.sock", "unix:///"),
        ("redis://10.0.0.7/1", ("10.0.0.7", 6379), "redis://127.0.0.1:"),
        ("redis://me:hush@cache:7000/1", ("cache", 7000), "redis://me:hush@127.0.0.1:"),
    ],
)
def test_redis_behind_an_edge_keeps_all_but_its_place(
    url: str, behind: object, begins: str, tmp_path: Path
) -> None:
    plan = EdgePlan(tmp_path)
    found = redis_through_proxy(url, "worker", plan)
    plan.close()
    assert found.startswith(begins)
    assert found.endswith(url[-2:])
    assert [(edge.name, edge.connect) for edge in plan.edges] == [("worker→redis", behind)]


def test_a_certificate_of_redis_is_not_checked_through_a_proxy(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="rediss://"):
        redis_through_proxy("rediss://cache", "worker", EdgePlan(tmp_path))
