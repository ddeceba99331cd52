"""Load balancing and caching."""
