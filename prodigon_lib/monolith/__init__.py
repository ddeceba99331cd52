"""The three services composed in one process: the same code, bound through the same protocols, no wire."""
