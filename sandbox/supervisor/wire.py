"""What the zygote answers: one kind and two numbers, in one packet."""

import struct

STARTED, ENDED, GONE, FAILED = 1, 2, 3, 4
_NOTICE = struct.Struct("=bqq")


def write_notice(kind, subject=0, number=0):
    """Write one packet."""
    return _NOTICE.pack(kind, subject, number)


def read_notice(packet):
    """Read one packet. Raises OSError if the zygote is gone."""
    if len(packet) != _NOTICE.size:
        raise OSError("the process that programs are forked from is gone")
    return _NOTICE.unpack(packet)
