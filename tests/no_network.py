"""A process that dies when it reaches for the network: Linux, without rights and without further programs."""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

_SOCKET = {"x86_64": 41, "aarch64": 198}  # the number of socket(2), by processor
_INET, _INET6 = 2, 10
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # of the filter's language (linux/filter.h)
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NUMBER_AT, _FIRST_ARGUMENT_AT = 0, 16  # in struct seccomp_data
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2

POSSIBLE = sys.platform == "linux" and platform.machine() in _SOCKET and sys.byteorder == "little"
"""Whether this system can be told so."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def forbid_network() -> None:
    """From here on, SIGSYS ends this process, and those that it starts, at the first internet socket: seccomp(2).

    Looking up a host needs one too. Sockets within the machine (AF_UNIX) are left alone.

    Raises:
        OSError: if the system does not allow it.
    """
    steps = [
        (_LOAD, 0, 0, _NUMBER_AT),
        (_EQUAL, 0, 4, _SOCKET[platform.machine()]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_EQUAL, 1, 0, _INET),
        (_EQUAL, 0, 1, _INET6),
        (_RETURN, 0, 0, _KILL),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.cast(code, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
