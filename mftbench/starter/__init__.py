"""The built-in suite of generated programs, and the nano model pre-trained on its grammar."""
