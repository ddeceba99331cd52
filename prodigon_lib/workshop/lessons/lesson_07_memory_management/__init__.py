"""Memory Management."""
