"""What clients meet at an nginx with TLS, with a certificate of the test's own."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from prodigon_lib.stack.nginx.balance import Balance
from prodigon_lib.stack.nginx.tls import Tls
from tests.certificates import write_certificate
from tests.integration.nginx.conftest import Balanced, balanced, free_port

HSTS = "strict-transport-security"
WEAK = ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA")
"""Without forward secrecy, without authenticated encryption."""


@dataclass
class Front:
    nginx: Balanced
    secure: str
    plain: str
    certificate: Path

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def client(self, context: ssl.SSLContext | None = None) -> httpx.Client:
        return httpx.Client(base_url=self.secure, verify=context or self.context(), trust_env=False)


@pytest.fixture(scope="module")
def front(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    certificate, key = write_certificate(tmp_path_factory.mktemp("tls"))
    plain = f"127.0.0.1:{free_port()}"
    tls = Tls(str(certificate), str(key), plain, port=8443)
    with balanced(program, Balance(), names=("model",), tls=tls) as nginx:
        yield Front(nginx, nginx.gateway.replace("http://", "https://"), f"http://{plain}", certificate)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_modern_tls_gets_through(front: Front, version: ssl.TLSVersion) -> None:
    context = front.context()
    context.minimum_version = context.maximum_version = version
    with front.client(context) as client:
        answer = client.post("/api/v1/generate", json={})
    assert answer.status_code == 200
    assert answer.json()["told"]["X-Forwarded-Proto"] == ["https"]
    assert answer.headers.get_list(HSTS) == ["max-age=31536000"]


@pytest.mark.parametrize("cipher", WEAK)
def test_a_weak_cipher_does_not(front: Front, cipher: str) -> None:
    context = front.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with front.client(context) as client, pytest.raises(httpx.ConnectError):
        client.get("/api/v1/jobs")


def test_nobody_else_is_believed_to_be_it(front: Front) -> None:
    with front.client(ssl.create_default_context()) as client, pytest.raises(httpx.ConnectError):
        client.get("/api/v1/jobs")


def test_what_nginx_answers_itself_says_so_too(front: Front) -> None:
    with front.client() as client:
        answer = client.get("/metrics")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert answer.headers.get_list(HSTS) == ["max-age=31536000"]


def test_whoever_comes_without_is_sent_there(front: Front) -> None:
    before = front.nginx.received()
    answer = httpx.post(f"{front.plain}/api/v1/generate?a=b%20c", json={}, trust_env=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://127.0.0.1:8443/api/v1/generate?a=b%20c"
    assert HSTS not in answer.headers
    assert front.nginx.received() == before


def test_the_plain_port_says_that_nginx_lives(front: Front) -> None:
    assert httpx.get(f"{front.plain}/nginx/live", trust_env=False).json()["status"] == "ok"


def test_plain_http_where_tls_is_spoken_has_the_envelope(front: Front) -> None:
    answer = httpx.get(f"{front.nginx.gateway}/api/v1/jobs", trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
