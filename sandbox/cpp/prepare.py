"""Make once what every C++ program shares: precompiled headers and the proof of the end."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(sys.path[0], "..", "python"))

from compiled import END_OBJECT, compile_end
from toolchain import PRELUDE, precompile

_HERE = os.path.dirname(os.path.abspath(__file__))


def main(target):
    """Fill the folder ``target``."""
    os.makedirs(target, exist_ok=True)
    prelude = shutil.copy(os.path.join(_HERE, PRELUDE), target)
    subprocess.run(compile_end(os.path.join(target, END_OBJECT)), check=True)
    subprocess.run(precompile(prelude, f"{prelude}.gch"), check=True)


if __name__ == "__main__":
    main(sys.argv[1])
