"""The four stages of a study, each a function from a spec and its inputs to an artifact's files."""
