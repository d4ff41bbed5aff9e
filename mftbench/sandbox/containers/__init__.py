"""Isolation by containers of any Docker-compatible engine."""
