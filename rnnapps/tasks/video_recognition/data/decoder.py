"""Videos decoded by a few processes that are used again and again; a file is frames or a `DataError` of one line."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

import rnnapps
from rnnapps.data.archives import unpacked_source
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.request import Request
from rnnapps.types import Array

__all__ = ["MAXIMUM_BYTES", "VideoDecoder"]

MAXIMUM_BYTES = 1 << 30
MEMORY_BYTES = 3 << 30
CHUNK = 1 << 16


class VideoDecoder:
    """A small pool of decoding processes; use it in a `with` statement.

    Args:
        config: rate, size, colour and crop of the frames, and the longest video that is read.
        workers: number of processes, which start when they are first needed.
        seconds: time a file may take.
        own_size: leave frames as large and as coloured as they are.
    """

    def __init__(
        self, config: VideoDataConfig, *, workers: int = 2, seconds: float = 120.0, own_size: bool = False
    ) -> None:
        self.config, self.workers, self.seconds, self.own_size = config, workers, seconds, own_size
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for _ in range(workers):
            self._idle.put(_Worker())

    def __enter__(self) -> VideoDecoder:
        """The pool itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the processes."""
        while not self._idle.empty():
            self._idle.get().stop()

    def decode(self, path: str | Path) -> Array:
        """The frames of one file, uint8 `(frames, size, size, channels)`.

        Raises:
            DataError: it is missing, no video, damaged, or beyond a limit: 1 GiB, 4096 x 2304 pixels,
                `longest_seconds`, 200,000 frames, 3 GiB of memory, `seconds` of work.
        """
        _require_file(Path(path))
        request = Request.of(str(unpacked_source(path).resolve()), self.config, own_size=self.own_size)
        worker = self._idle.get()
        try:
            header, content = worker.ask(request, time.monotonic() + self.seconds)
        except _Ended as ending:
            raise DataError(
                path, f"cannot be decoded: the decoder {ending}", "convert it again or leave it out"
            ) from None
        finally:
            self._idle.put(worker)
        if "problem" in header:
            raise DataError(path, header["problem"], header["remedy"])
        return np.frombuffer(content, np.uint8).reshape(header["shape"])

    def decode_all(self, paths: Sequence[str | Path]) -> Generator[Callable[[], Array], None, None]:
        """What gives the frames of each of many files, or raises DataError, in their order; decoded side by side."""
        with ThreadPoolExecutor(self.workers) as threads:
            ahead = [threads.submit(self.decode, path) for path in paths[: 2 * self.workers]]
            rest = iter(paths[len(ahead) :])
            try:
                while ahead:
                    yield ahead.pop(0).result
                    with contextlib.suppress(StopIteration):
                        ahead.append(threads.submit(self.decode, next(rest)))
            finally:
                for waiting in ahead:
                    waiting.cancel()


class _Ended(Exception):
    """How a process ended that should have answered."""


class _Worker:
    """One process, started when it is first asked and again after it died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.buffer = bytearray()

    def ask(self, request: Request, deadline: float) -> tuple[dict[str, Any], bytes]:
        """The answer to a request; raises _Ended where there is none in time."""
        process = self.process = self.process or _start()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(request.line())
            process.stdin.flush()
            header = json.loads(self._read_line(process.stdout, deadline))
            size = int(np.prod(header["shape"], dtype=np.int64)) if "shape" in header else 0
            return header, self._read(process.stdout, size, deadline)
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


def _start() -> subprocess.Popen[bytes]:
    """A process of `worker`, which finds this very package, whatever is installed."""
    root = str(Path(rnnapps.__path__[0]).parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "rnnapps.tasks.video_recognition.data.worker", str(MEMORY_BYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # Ctrl-C is the parent's to handle
    )


def _require_file(path: Path) -> None:
    """Raises DataError for what is no file, or too large a one."""
    if not path.is_file():
        problem = "is not a regular file" if path.exists() else "does not exist"
        raise DataError(path, problem, "give the path of a video file")
    if path.stat().st_size > MAXIMUM_BYTES:
        raise DataError(path, f"has {path.stat().st_size:,} bytes; at most {MAXIMUM_BYTES:,} are read", "cut it")
