"""What an idle service need not carry: gRPC costs it twenty megabytes, a client of Redis some more."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("service", ["model", "gateway", "worker"])
def test_grpc_and_redis_are_imported_only_when_they_are_on(service: str) -> None:
    code = (
        "import sys; from importlib import import_module\n"
        f"import_module('prodigon_lib.{service}.app').create_app(\n"
        f"    import_module('prodigon_lib.{service}.settings').{service.title()}Settings(\n"
        "        _env_file=None, database_url='postgresql://u@h/d', use_mock=True))\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('grpc', 'google', 'redis')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
