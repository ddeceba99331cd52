"""Load Balancing & Caching."""
