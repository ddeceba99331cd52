"""Batch vs Real-time vs Streaming."""
