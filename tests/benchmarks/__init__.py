"""Benchmarks against peers and against what Python can do at best; `make bench`, with `ARGS=--help` for more.

Linux, loopback only, about ten minutes (`--quick`: ninety seconds); needs `cc`. Peers are found when they are
there, and said to be absent when not. nginx is taken from `PATH`; the others live in virtual environments
below `~/.cache/prodigon-bench`, or the folder that `PRODIGON_BENCH_PEERS` names, and are made once, with the
library's own Python version:

    mkdir -p ~/.cache/prodigon-bench && cd ~/.cache/prodigon-bench
    python3 -m venv queues
    queues/bin/pip install asyncpg orjson uvloop pgqueuer procrastinate 'psycopg[binary,pool]'
    python3 -m venv litellm && litellm/bin/pip install 'litellm[proxy]'
"""
