"""Queues behind one protocol: Postgres, which outlives its workers, and memory, which does not."""
