"""Files that other harnesses read and write."""
