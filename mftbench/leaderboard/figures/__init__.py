"""Figures of a board, drawn by matplotlib: for papers as files, for the report inline."""
