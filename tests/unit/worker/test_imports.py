"""What an idle worker need not carry."""

import subprocess
import sys


def test_the_worker_does_not_load_what_it_does_not_use() -> None:
    """SQLAlchemy alone costs half a second of the start and a quarter of the memory."""
    unused = ("sqlalchemy", "alembic", "grpc")
    code = f"import sys, prodigon_lib.worker.app; print([m for m in {unused} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
