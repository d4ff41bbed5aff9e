"""mftbench: multi-task fine-tuning studies of code models, from data to leaderboard."""

__version__ = "0.1.0"
