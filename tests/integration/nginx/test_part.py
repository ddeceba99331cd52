"""nginx as a supervisor's part: a configuration that it refuses is taken back."""

from dataclasses import replace
from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import ports
from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.nginx.balance import Balance
from prodigon_lib.stack.nginx.part import NginxPart, plan_nginx
from prodigon_lib.stack.options import Restart


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
