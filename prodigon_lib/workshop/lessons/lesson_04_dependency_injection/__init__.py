"""FastAPI Dependency Injection."""
