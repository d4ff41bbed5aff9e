"""Make once what every Rust program shares: the compiled crates and the proof of the end."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(sys.path[0], "..", "python"))

from compiled import END_OBJECT, compile_end
from toolchain import CARGO, REGISTRY

_HERE = os.path.dirname(os.path.abspath(__file__))
_CONFIG = f"""
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "{REGISTRY}"
"""


def main(target):
    """Fill the folder ``target``."""
    os.makedirs(target, exist_ok=True)
    subprocess.run(compile_end(os.path.join(target, END_OBJECT)), check=True)
    with tempfile.TemporaryDirectory() as work:
        _compile_crates(work)
        for crate in glob.glob(os.path.join(work, "target/release/deps/*.rlib")):
            shutil.copy(crate, target)


def _compile_crates(work):
    shutil.copy(os.path.join(_HERE, "Cargo.toml"), work)
    os.mkdir(os.path.join(work, ".cargo"))
    for name, text in (("prelude.rs", ""), (".cargo/config.toml", _CONFIG)):
        with open(os.path.join(work, name), "w") as file:
            file.write(text)
    environment = {"PATH": "/usr/bin:/bin", "HOME": work, "CARGO_HOME": os.path.join(work, "home")}
    command = [CARGO, "build", "--release", "--offline", "--quiet"]
    subprocess.run(command, cwd=work, env=environment, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
