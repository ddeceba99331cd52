"""Code Profiling & Optimization."""
