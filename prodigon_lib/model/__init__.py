"""The model service: providers behind one protocol, routing and fallback, and its HTTP face."""
