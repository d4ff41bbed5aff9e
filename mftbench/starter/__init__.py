"""The built-in suite of generated programs, and the built-in nano model pre-trained on its grammar."""
