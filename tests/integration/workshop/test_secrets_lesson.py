"""The experiments of lesson 11."""

import secrets
import shutil

import pytest

from prodigon_lib.core.secret_sources import secret_sources
from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.canaries import (
    WAYS,
    hunt,
    matrix,
    planted,
    who_may_read,
)
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.rotations import (
    rotate,
    rotations_plot,
    rotations_table,
)
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.sources import keyring_in_memory, small_vault


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_a_clean_up_leaves_what_the_history_and_the_process_have() -> None:
    with planted() as project:
        before = hunt(project)
        readers = who_may_read(project.process.pid)
        project.clean_up()
        after = hunt(project)
    assert {"files now", "image layer"} <= set(before.found[".env"])
    assert after.found[".env"] == after.found["log line"] == []
    assert "git history" in after.found["code"]
    assert after.found["environment"] == before.found["environment"]
    assert len(readers) == 2
    assert "command line" in repr(matrix({"before": before, "after": after}, dict.fromkeys(WAYS, 1)))


def test_without_git_the_hunt_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(WorkshopError, match="install it"), planted():
        pass


async def test_a_restart_loses_requests_and_the_other_ways_lose_none() -> None:
    restart, two_keys, leases = [await rotate(way) for way in ("a restart", "two keys at once", "leases")]
    assert restart.failed > 0
    assert two_keys.failed == leases.failed == 0
    assert len(two_keys.lived) == 2 < len(leases.lived)
    assert len(rotations_table([restart, two_keys, leases])) == 3
    assert "leases 0 of" in repr(rotations_plot([restart, two_keys, leases]))


def test_the_stand_ins_answer_as_sources_do() -> None:
    token, in_keyring, in_vault = (secrets.token_hex(8) for _ in range(3))
    with (
        keyring_in_memory({"ONE": in_keyring}),
        small_vault(token, "secret/lesson", {"TWO": in_vault}) as vault,
    ):
        sources = secret_sources(
            keyring="lesson", vault_address=vault, vault_token=token, vault_path="secret/lesson"
        )
        assert [source.get("ONE") for source in sources[-2:]] == [in_keyring, None]
        assert [source.get("TWO") for source in sources[-2:]] == [None, in_vault]
