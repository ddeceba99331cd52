"""Securing API Endpoints."""
