"""Limits that a process puts on itself for good, before it reads a file of strangers; with the standard library alone.

Time, memory and the size of files are limited everywhere; on Linux, Landlock takes away all files but named ones, and a
seccomp filter the network and other programs. Where a kernel does not offer one of them, the answer says so.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Limits", "confine"]

_NO_NEW_PRIVILEGES, _SECCOMP = 38, 22  # numbers of prctl
_FILTER, _ALLOW, _DENY, _KILL = 2, 0x7FFF0000, 0x00050001, 0x80000000  # _DENY: the call fails with EPERM
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32 = 0x40000000

# Machine -> (its AUDIT_ARCH, system calls that nothing which runs a model needs). They open the network (sockets,
# io_uring), start programs, reach other processes, or change what the process may do (mounts, namespaces, keys).
_MACHINES: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        (
            41,
            42,
            44,
            46,
            49,
            53,
            57,
            58,
            59,
            62,
            101,
            165,
            166,
            248,
            249,
            250,
            272,
            298,
            304,
            308,
            310,
            311,
            321,
            322,
            323,
            424,
            425,
            434,
            438,
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            39,
            40,
            97,
            117,
            129,
            198,
            199,
            200,
            203,
            206,
            211,
            217,
            218,
            219,
            221,
            241,
            265,
            268,
            270,
            271,
            280,
            281,
            282,
            424,
            425,
            434,
            438,
        ),
    ),
}

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same number on every machine
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_FILE_RIGHTS = (13, 14, 15, 15, 16)  # how many rights over files versions 1 to 5 of Landlock know


@dataclass(frozen=True)
class Limits:
    """What a process may use.

    Attributes:
        memory_bytes: of its data; the code of libraries is not counted.
        cpu_seconds: of all its threads together; None for any.
        file_bytes: of one file that it writes.
    """

    memory_bytes: int
    cpu_seconds: int | None
    file_bytes: int


def confine(limits: Limits, *, readable: Sequence[Path], writable: Sequence[Path]) -> str:
    """Confines this process, and every thread it will start; call it before there are others.

    Args:
        limits: of time, memory and files.
        readable: files and folders that may be read.
        writable: folders that may be read and changed.

    Returns:
        What is in force, and what the system does not offer, in one line.
    """
    _set_limits(limits)
    seconds = "" if limits.cpu_seconds is None else f" and {limits.cpu_seconds} s of processors"
    forced = [f"{limits.memory_bytes >> 20} MiB{seconds}"]
    lacking = []
    if not sys.platform.startswith("linux"):
        return f"{forced[0]}; {platform.system()} offers no confinement of files and network"
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    version = _landlock(library, readable, writable)
    if version:
        forced.append(f"no files but its own (Landlock {version})")
    else:
        lacking.append("Landlock: it could reach files of this user")
    if _seccomp(library):
        forced.append("no network, no other programs (seccomp)")
    else:
        lacking.append("seccomp: it could reach the network")
    return "; ".join([*forced, *(f"this kernel offers no {item}" for item in lacking)])


def _set_limits(limits: Limits) -> None:
    wanted = {
        resource.RLIMIT_DATA: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
    }
    for kind, value in wanted.items():
        if value is None:
            continue
        _, hard = resource.getrlimit(kind)
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (least, least))


def _landlock(library: ctypes.CDLL, readable: Sequence[Path], writable: Sequence[Path]) -> int:
    """Denies every file but the named ones; returns the kernel's version of Landlock, 0 where there is none."""
    version: int = library.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return 0
    rights = (1 << _FILE_RIGHTS[min(version, len(_FILE_RIGHTS)) - 1]) - 1
    # Later fields are known to later versions only: connections over TCP from 4, signals to other processes from 6.
    fields = [rights, *([3] if version >= 4 else []), *([3] if version >= 6 else [])]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    rules = library.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return 0
    read = _READ_FILE | _READ_FOLDER
    try:
        for paths, allowed in ((readable, read), (writable, rights)):
            for path in paths:
                _allow(library, rules, path, allowed)
        return 0 if library.syscall(_RESTRICT_SELF, rules, 0) else version
    finally:
        os.close(rules)


def _allow(library: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    """Adds one path to a set of rules, if it exists."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        on_files = _READ_FILE | (1 << 1) | (1 << 14)  # read, write, truncate: all that a file itself can be asked
        rule = struct.pack("=Qi", rights if path.is_dir() else rights & on_files, handle)
        library.syscall(_ADD_RULE, rules, 1, rule, 0)
    finally:
        os.close(handle)


def _seccomp(library: ctypes.CDLL) -> bool:
    """Denies the system calls of `_MACHINES`; returns whether they are denied now."""
    if platform.machine() not in _MACHINES or struct.calcsize("P") != 8:
        return False
    architecture, denied = _MACHINES[platform.machine()]
    # The call's architecture lies at byte 4 of what the filter sees, its number at byte 0.
    program = [(_LOAD, 0, 0, 4), (_JUMP_IF_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    program += [(_JUMP_IF_AT_LEAST, len(denied) + 1, 0, _X32)]
    program += [(_JUMP_IF_EQUAL, len(denied) - position, 0, number) for position, number in enumerate(denied)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    content = ctypes.create_string_buffer(code)
    header = struct.pack("@HP", len(program), ctypes.addressof(content))
    return bool(library.prctl(_SECCOMP, _FILTER, ctypes.c_char_p(header), 0, 0) == 0)
