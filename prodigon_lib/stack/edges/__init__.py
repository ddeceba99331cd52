"""The edges between the processes of a stack, each through a small proxy that can do it harm."""
