"""nginx in front of a service's replicas: its configuration, its process, what is changed while it runs."""
