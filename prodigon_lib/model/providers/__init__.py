"""What answers a prompt: Groq, any OpenAI-compatible server, the simulated model."""
