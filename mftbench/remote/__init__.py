"""A store behind a URL, for nodes that have no file system in common."""
