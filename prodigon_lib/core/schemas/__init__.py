"""The wire: what crosses HTTP, gRPC and the process boundary, one module per aggregate."""
