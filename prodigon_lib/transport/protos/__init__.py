"""The model service's contract over gRPC, `model_v1.proto`, and what `make proto` generates from it."""
