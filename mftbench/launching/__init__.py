"""Units of work beyond one process: what they are, who runs them, and how they are followed."""
