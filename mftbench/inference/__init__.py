"""Engines that complete prompts with a model."""
