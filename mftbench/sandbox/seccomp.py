"""Which system calls a bubblewrapped process may make: all but those of the kernel's keyrings.

Keyrings belong to users and sessions, and no namespace separates them: a program could read the
keys of the session that started it, and leave some for programs that come later.
"""

from __future__ import annotations

import errno
import os
import platform
import struct
import sys
from dataclasses import dataclass

_FOREIGN_ABI = 0x40000000  # x32, a second numbering of the calls of x86-64

# linux/bpf_common.h, linux/seccomp.h
_LOAD, _RETURN = 0x20, 0x06
_IF_EQUAL, _IF_AT_LEAST = 0x15, 0x35
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000


@dataclass(frozen=True)
class _Machine:
    """One numbering of system calls: AUDIT_ARCH_..., and add_key, request_key and keyctl in it."""

    architecture: int
    keys: tuple[int, int, int]


_MACHINES = {
    "x86_64": _Machine(0xC000003E, (248, 249, 250)),
    "aarch64": _Machine(0xC00000B7, (217, 218, 219)),
}


def open_filter() -> int | None:
    """Open a descriptor to read the filter from; None where this machine's calls aren't known."""
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.maxsize < 1 << 32:  # 32-bit programs on a 64-bit kernel
        return None
    reader, writer = os.pipe()
    try:
        os.write(writer, _program(machine))  # far less than a pipe holds
    finally:
        os.close(writer)
    return reader


def _program(machine: _Machine) -> bytes:
    """Assemble the filter. What it denies looks as on a kernel without: ENOSYS.

    So do all calls by another numbering than the machine's own, of which keyrings have a share.
    """
    denied = [(_IF_EQUAL, number) for number in machine.keys]
    tests = [(_IF_AT_LEAST, _FOREIGN_ABI), *denied]
    return b"".join(
        (
            _instruction(_LOAD, _ARCHITECTURE),
            _instruction(_IF_EQUAL, machine.architecture, otherwise=len(tests) + 2),
            _instruction(_LOAD, _NUMBER),
            *(
                _instruction(code, value, then=len(tests) - at)
                for at, (code, value) in enumerate(tests)
            ),
            _instruction(_RETURN, _ALLOW),
            _instruction(_RETURN, _ERROR | errno.ENOSYS),
        )
    )


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """Pack a struct sock_filter; jumps count the instructions that they skip."""
    return struct.pack("=HBBI", code, then, otherwise, value)
