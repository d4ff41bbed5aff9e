"""``python -m mftbench``: the same as the command, wherever the environment's scripts are."""

from mftbench.cli import main

if __name__ == "__main__":
    main()
