"""Whole stacks under load while something is done to them; afterwards everything must be as it was.

`CHAOS_SEEDS` says how many seeds each test runs with: one by default, ten in `make soak`.
"""
