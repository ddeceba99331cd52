"""What all tests share: no setting of the machine leaks in, and state goes to a folder of the test's."""

import os
import signal

import pytest

# Before gRPC is loaded. Who starts Postgres as another user forks, and gRPC's handlers, which a process that
# has calls open runs in the child, have crashed it there. No test calls by gRPC from a forked process.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# A job in a script's background begins without Ctrl+C, and so would all that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from tests.leaks import *  # noqa: F403 (its hooks and its fixture)

SETTINGS = """
ENVIRONMENT LOG_LEVEL GROQ_API_KEY GROQ_BASE_URL DEFAULT_MODEL FALLBACK_MODEL USE_MOCK MODEL_SERVICE_URL
WORKER_SERVICE_URL DATABASE_URL QUEUE_TYPE REDIS_URL REDIS_PREFIX CACHE ALLOWED_ORIGINS TRACE_FILE
OTEL_EXPORTER_OTLP_ENDPOINT SECRETS_DIR SECRETS_KEYRING VAULT_ADDR VAULT_TOKEN ENVELOPE_KEYS
""".split()


@pytest.fixture(autouse=True)
def clean_settings(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRODIGON_HOME", str(tmp_path / "home"))
