"""Microservices vs Monolith."""
