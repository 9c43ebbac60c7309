"""Processes that read files of strangers, within limits of their own, for a process that nothing may happen to."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

import rnnapps
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["GuardedProcess", "require_file"]

CHUNK = 1 << 16


class _Ended(Exception):
    """How a process ended that should have answered: "took too long"."""


class GuardedProcess:
    """One process that answers requests, started when it is first asked and again after it died.

    Args:
        module: what it runs, by its full name; it calls `serve` of `rnnapps.data.guarded_answers`.
        memory_bytes: the most memory that it may take.
    """

    def __init__(self, module: str, memory_bytes: int) -> None:
        self.command = [sys.executable, "-m", module, str(memory_bytes)]
        self.process: subprocess.Popen[bytes] | None = None
        self.buffer = bytearray()

    def read(self, path: str | Path, request: Mapping[str, Any], *, seconds: float) -> Array:
        """What a file holds.

        Args:
            path: the file, for errors.
            request: what to read, and how; it names the file too.
            seconds: time that it may take.

        Raises:
            DataError: the process refuses it, dies of it, or takes too long.
        """
        try:
            header, content = self._ask(json.dumps(dict(request)).encode() + b"\n", time.monotonic() + seconds)
        except _Ended as ending:
            problem = f"cannot be decoded: the decoder {ending}"
            raise DataError(path, problem, "convert it again or leave it out") from None
        if "problem" in header:
            raise DataError(path, header["problem"], header["remedy"])
        return np.frombuffer(content, header["dtype"]).reshape(header["shape"])

    def _ask(self, request: bytes, deadline: float) -> tuple[dict[str, Any], bytes]:
        """The answer to a request: a header, and what it announces; raises _Ended where there is none in time."""
        process = self.process or self._start()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(request)
            process.stdin.flush()
            header = json.loads(self._read_line(process.stdout, deadline))
            return header, self._read(process.stdout, header.get("bytes", 0), deadline)
        except TimeoutError:
            self.stop()
            raise _Ended("took too long") from None
        except (BrokenPipeError, EOFError):
            code = process.wait()
            self.stop()
            crashed = code < 0
            raise _Ended(
                f"crashed with {signal.Signals(-code).name}" if crashed else f"ended with code {code}"
            ) from None

    def _start(self) -> subprocess.Popen[bytes]:
        """The process, which finds this very package, whatever is installed."""
        root = str(Path(rnnapps.__path__[0]).parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        return self.process

    def _read_line(self, pipe: IO[bytes], deadline: float) -> bytes:
        """The next line, its end included."""
        while b"\n" not in self.buffer:
            self._receive(pipe, deadline)
        return self._take(self.buffer.index(b"\n") + 1)

    def _read(self, pipe: IO[bytes], size: int, deadline: float) -> bytes:
        """The next `size` bytes."""
        while len(self.buffer) < size:
            self._receive(pipe, deadline)
        return self._take(size)

    def _take(self, size: int) -> bytes:
        """Moves bytes out of the buffer."""
        content = bytes(self.buffer[:size])
        del self.buffer[:size]
        return content

    def _receive(self, pipe: IO[bytes], deadline: float) -> None:
        """Puts what the process has written into the buffer; raises TimeoutError or EOFError where that is nothing."""
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError
        received = os.read(pipe.fileno(), CHUNK)
        if not received:
            raise EOFError
        self.buffer += received

    def stop(self) -> None:
        """Ends the process, if there is one, and forgets what it said."""
        process, self.process = self.process, None
        self.buffer.clear()
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe and pipe.close()
            process.wait()


def require_file(path: Path, *, maximum_bytes: int, noun: str) -> None:
    """Raises DataError for what is no file, or too large a one.

    Args:
        path: the file.
        maximum_bytes: largest size accepted.
        noun: what it should be: "video".
    """
    if not path.is_file():
        problem = "is not a regular file" if path.exists() else "does not exist"
        raise DataError(path, problem, f"give the path of a {noun} file")
    if path.stat().st_size > maximum_bytes:
        raise DataError(path, f"has {path.stat().st_size:,} bytes; at most {maximum_bytes:,} are read", "cut it")
