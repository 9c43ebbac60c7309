"""Videos decoded by a few processes that are used again and again; a file is frames or a `DataError` of one line."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType

from rnnapps.data.archives import unpacked_source
from rnnapps.data.converters import converted
from rnnapps.data.guarded_process import GuardedProcess, require_file
from rnnapps.tasks.video_recognition.data.clip import Clip
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.frame_folders import pictures_of
from rnnapps.tasks.video_recognition.data.request import Request
from rnnapps.types import Array

__all__ = ["MAXIMUM_BYTES", "VideoDecoder"]

MAXIMUM_BYTES = 1 << 30
MEMORY_BYTES = 3 << 30
WORKER = "rnnapps.tasks.video_recognition.data.worker"


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
        self._idle: queue.SimpleQueue[GuardedProcess] = queue.SimpleQueue()
        for _ in range(workers):
            self._idle.put(GuardedProcess(WORKER, MEMORY_BYTES))

    def __enter__(self) -> VideoDecoder:
        """The pool itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the processes."""
        while not self._idle.empty():
            self._idle.get().stop()

    def decode(self, film: str | Path | Clip) -> Array:
        """The frames of one file, of a part of it, or of a folder of pictures, uint8 `(frames, size, size, channels)`.

        Raises:
            DataError: it is missing, no video, damaged, or beyond a limit: 1 GiB, 4096 x 2304 pixels,
                `longest_seconds`, 200,000 frames, 3 GiB of memory, `seconds` of work.
        """
        path, span = (film.path, (film.start, film.end)) if isinstance(film, Clip) else (Path(film), (0.0, None))
        path = converted(path, "video")
        if not path.is_dir() or not pictures_of(path):
            require_file(path, maximum_bytes=MAXIMUM_BYTES, noun="video")
        own = Request.of(str(unpacked_source(path).resolve()), self.config, own_size=self.own_size)
        request = replace(own, picture_rate=self.config.source_rate, start=span[0], end=span[1])
        worker = self._idle.get()
        try:
            return worker.read(str(film), asdict(request), seconds=self.seconds)
        finally:
            self._idle.put(worker)

    def decode_all(self, films: Sequence[str | Path | Clip]) -> Generator[Callable[[], Array], None, None]:
        """What gives the frames of each of many videos, or raises DataError, in their order; decoded side by side."""
        with ThreadPoolExecutor(self.workers) as threads:
            ahead = [threads.submit(self.decode, film) for film in films[: 2 * self.workers]]
            rest = iter(films[len(ahead) :])
            try:
                while ahead:
                    yield ahead.pop(0).result
                    with contextlib.suppress(StopIteration):
                        ahead.append(threads.submit(self.decode, next(rest)))
            finally:
                for waiting in ahead:
                    waiting.cancel()
