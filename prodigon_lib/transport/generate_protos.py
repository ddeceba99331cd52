"""Generates Python from every `.proto` of the package, beside it; `make proto` runs it.

    python -m prodigon_lib.transport.generate_protos [FOLDER]

With a folder, it writes there instead: a test compares that with what is committed.
"""

import sys
from pathlib import Path

from prodigon_lib.core.locations import PACKAGE


def generate(out: Path) -> list[Path]:
    """What was generated below `out`, which stands for the folder that holds the package.

    Raises:
        ValueError: a `.proto` is wrong; the compiler has said on stderr where.
    """
    from grpc_tools import protoc

    root = PACKAGE.parent
    sources = sorted(path.relative_to(root) for path in PACKAGE.rglob("*.proto"))
    plugins = [f"--{plugin}_out={out}" for plugin in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", f"--proto_path={root}", *plugins, *map(str, sources)]):
        raise ValueError("the compiler refused a .proto")
    endings = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")
    return [out / source.with_name(source.stem + ending) for source in sources for ending in endings]


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE.parent)
