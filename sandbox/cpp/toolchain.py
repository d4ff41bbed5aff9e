"""How C++ is compiled: one set of flags, because precompiled headers serve only the same flags."""

COMPILER = "/usr/bin/g++"
FLAGS = ("-std=c++17", "-O0", "-w", "-pipe")
PRELUDE = "prelude.h"


def precompile(source, target):
    """Give the command that precompiles the headers."""
    return [COMPILER, *FLAGS, "-x", "c++-header", source, "-o", target]
