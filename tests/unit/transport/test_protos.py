"""What is generated from the `.proto` files is what is committed."""

from pathlib import Path

from prodigon_lib.core.locations import PACKAGE
from prodigon_lib.transport.generate_protos import generate


def test_generated_code_is_up_to_date(tmp_path: Path) -> None:
    made = generate(tmp_path)
    assert made
    for path in made:
        committed = PACKAGE.parent / path.relative_to(tmp_path)
        assert path.read_text() == committed.read_text(), f"run make proto: {committed.name} differs"


def test_nothing_generated_is_left_over() -> None:
    generated = {
        path.name.partition("_pb2")[0] for path in PACKAGE.rglob("*_pb2*.py*") if path.suffix != ".pyc"
    }
    assert generated == {path.stem for path in PACKAGE.rglob("*.proto")}
