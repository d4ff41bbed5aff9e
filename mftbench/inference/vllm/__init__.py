"""The vLLM engine: the host's side, and the worker that runs beside vLLM in its own environment."""
