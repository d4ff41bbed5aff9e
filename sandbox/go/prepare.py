"""Make once what every Go program shares: the archives of the packages that it may import."""

import os
import sys

from toolchain import archives, lines, tools


def main(target):
    """Fill the folder ``target``. The archives are named by absolute path: do not move it."""
    target = os.path.realpath(target)
    os.makedirs(target, exist_ok=True)
    with open(lines(target), "w") as file:
        file.write(archives(os.path.join(target, "cache")))
    with open(os.path.join(target, "tools"), "w") as file:
        file.write(tools())


if __name__ == "__main__":
    main(sys.argv[1])
