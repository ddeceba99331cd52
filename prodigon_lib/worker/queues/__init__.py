"""Queues behind one protocol: Postgres and Redis, which outlive their workers, and memory, which does not."""
