"""Measured memory: the peak of a child process, and what one call adds to the peak of this process."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

__all__ = ["CommandUse", "measure_command", "peak_resident_bytes", "peak_rise"]

Result = TypeVar("Result")

_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss
_STARTER = """
import json, os, subprocess, sys, time
start = time.monotonic()
child = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(child.pid, 0)
os.write(int(sys.argv[1]), json.dumps([status, usage.ru_maxrss, time.monotonic() - start]).encode())
os._exit(0)
"""
_RESET_PEAK = "5"  # proc(5): writing 5 to clear_refs resets the peak resident set size


@dataclass(frozen=True)
class CommandUse:
    """What one command used.

    Attributes:
        peak_bytes: largest resident memory of the process, in bytes.
        seconds: wall time, in seconds.
        exit_code: its exit code, negative for the signal that ended it.
        output: its standard output and errors, as text.
    """

    peak_bytes: int
    seconds: float
    exit_code: int
    output: str


def peak_resident_bytes() -> int:
    """Largest resident memory this process has had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT_BYTES


def measure_command(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> CommandUse:
    """Runs a command to its end in a process of its own and reports its peak memory and time.

    A process cannot lower its own peak, and a child's peak starts at the memory of the process that started it
    (Linux carries it over), so a small process in between starts the command. A peak below its 10 MB is not seen.

    Args:
        command: program and arguments.
        environment: variables added to this process's environment.

    Raises:
        FileNotFoundError: the program does not exist.
    """
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(f"{command[0]}: no such program")
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as figures:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _STARTER, str(figures.fileno()), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            pass_fds=[figures.fileno()],
            check=True,
        )
        output.seek(0)
        figures.seek(0)
        status, peak, seconds = json.load(figures)
        text = output.read().decode("utf-8", errors="replace")
    return CommandUse(peak * _RSS_UNIT_BYTES, seconds, os.waitstatus_to_exitcode(status), text)


def peak_rise(function: Callable[[], Result]) -> tuple[Result, int | None]:
    """Calls `function` and says by how much the peak of this process rose above its memory before the call.

    What an allocator kept from earlier work and uses again does not show. TensorFlow's keeps all it ever had, so the
    first use of large tensors in a fresh process is the only one that can be measured.

    Returns:
        The function's result, and the rise in bytes; None where the system cannot reset a process's peak (not Linux).
    """
    try:
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
        before = _status_bytes("VmRSS")
    except OSError:
        return function(), None
    result = function()
    return result, max(0, _status_bytes("VmHWM") - before)


def _status_bytes(field: str) -> int:
    """One figure of this process from /proc."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")
