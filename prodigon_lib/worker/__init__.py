"""The worker service: a durable queue of prompts, and the loop that claims and runs them."""
