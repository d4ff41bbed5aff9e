"""How Rust is compiled, and which crates programs may use."""

import glob
import os

COMPILER = "/usr/bin/rustc"
CARGO = "/usr/bin/cargo"
CRATES = ("md5", "rand", "regex")
REGISTRY = "/usr/share/cargo/registry"  # where Debian keeps libraries
FLAGS = ("--edition=2021", "--cap-lints=allow", "-C", "debuginfo=0", "-C", "opt-level=0")


def externs(folder):
    """List the options that make the prepared crates known; none where nothing is prepared."""
    if folder is None:
        return []
    options = ["-L", f"dependency={folder}"]
    for crate in CRATES:
        found = glob.glob(os.path.join(folder, f"lib{crate}-*.rlib"))
        if found:
            options += ["--extern", f"{crate}={found[0]}"]
    return options
