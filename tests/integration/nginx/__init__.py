"""The configuration that a stack and a deployment share, under a real nginx, before replicas that count."""
