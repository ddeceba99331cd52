"""What a stack says of a process that ended quotes it, but none of its secrets."""

import json
import socket
from pathlib import Path
from secrets import token_hex

import pytest

from prodigon_lib.core.redaction import REDACTED
from prodigon_lib.stack.options import Restart
from prodigon_lib.stack.record import record
from prodigon_lib.stack.service import ServicePart, ServiceSpec

URL = f"postgresql://ada:{token_hex(3)}@db/prodigon"
SHOWN = f"postgresql://ada:{REDACTED}@db/prodigon"


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"level": "error", "event": "refused to start", "message": f"can't reach {URL}"}),
        json.dumps({"level": "critical", "event": "uncaught", "exception": f"Traceback\nOSError: {URL}"}),
        f"OSError: {URL}",
    ],
)
def test_last_words_have_no_secret(tmp_path: Path, line: str) -> None:
    log = tmp_path / "gateway.log"
    log.write_text(f"{line}\n")
    with socket.socket() as listener:
        spec = ServiceSpec("gateway", 0, {}, log, tmp_path)
        said = ServicePart(spec, listener, None, Restart.NEVER).last_words()
    assert URL not in said
    assert SHOWN in said


def test_neither_has_the_supervisors_own_log(capsys: pytest.CaptureFixture[str]) -> None:
    record("not revived", "error", reason=f"can't reach {URL}")
    assert json.loads(capsys.readouterr().out)["reason"] == f"can't reach {SHOWN}"
