"""Batch vs real-time vs streaming."""
