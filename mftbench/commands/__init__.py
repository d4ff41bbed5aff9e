"""One module per command; each imports what it needs inside its function, so that help is quick."""
