"""Authentication vs Authorization."""
