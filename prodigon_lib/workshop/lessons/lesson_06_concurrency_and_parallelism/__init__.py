"""Concurrency & Parallelism."""
