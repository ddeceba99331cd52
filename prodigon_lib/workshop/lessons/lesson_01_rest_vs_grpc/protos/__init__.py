"""The contract of the experiment, `twin_v1.proto`, and what `make proto` generates from it."""
