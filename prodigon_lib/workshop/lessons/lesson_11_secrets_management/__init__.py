"""Secrets Management."""
