"""How services talk: one protocol for the model, one for jobs, and what carries them."""
