"""Balancers: how the losses of several tasks become one, one method per file."""
