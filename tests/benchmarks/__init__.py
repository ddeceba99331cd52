"""Benchmarks against peers and against what Python can do at best; `python -m tests.benchmarks --help`.

Linux, loopback only, about ten minutes (`--quick`: ninety seconds); needs `cc`. Peers are found when they are
there, and said to be absent when not. nginx is taken from `PATH`; the others live in virtual environments
below the folder that `PRODIGON_BENCH_PEERS` names, and are made once, with the library's own Python version:

    cd "$PRODIGON_BENCH_PEERS"
    python3 -m venv queues && queues/bin/pip install asyncpg orjson uvloop pgqueuer procrastinate 'psycopg[binary,pool]'
    python3 -m venv litellm && litellm/bin/pip install 'litellm[proxy]'
"""  # noqa: E501
