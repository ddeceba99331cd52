"""Answers that were given before, each under all that would change it; many who ask at once cost one call."""
