"""The sound of files that libsndfile does not open: m4a, AAC, WebM, AMR, and videos; decoded by a guarded process."""

from __future__ import annotations

import atexit
import functools
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from rnnapps.data.archives import unpacked_source
from rnnapps.data.guarded_process import GuardedProcess, require_file
from rnnapps.types import Array

__all__ = ["FILM_SUFFIXES", "TRACK_SUFFIXES", "has_track", "parse_track", "read_track", "track_blocks"]

FILM_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".mkv", ".avi", ".mpg", ".mpeg", ".flv", ".wmv", ".asf", ".ogv"),
    ".webm",
)
"""Files that have a sound track, and more likely are of interest for what is seen."""

TRACK_SUFFIXES = (".m4a", ".m4b", ".aac", ".amr", ".awb", ".ac3", ".mka", ".weba", ".wma", *FILM_SUFFIXES)
"""Recordings and videos whose sound FFmpeg reads."""

MAXIMUM_BYTES = 1 << 30
MEMORY_BYTES = 3 << 30
MAXIMUM_SECONDS = 120.0
PART_SAMPLES = 1 << 20
WORKER = "rnnapps.tasks.speech_recognition.data.sound_worker"

_BEGINNINGS = (
    b"\x1aE\xdf\xa3",
    b"#!AMR",
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"\x00\x00\x01\xba",
    b"\x0bw",
)
"""Of Matroska and WebM, AMR, Flash, Windows Media, MPEG programs, and AC-3."""

_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""What MP4 and QuickTime files begin with, behind a size."""

_lock = threading.Lock()


def has_track(head: bytes) -> bool:
    """Whether a file is one of these kinds, by its first bytes, whatever its name says.

    Args:
        head: the first 12 bytes or more.
    """
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0  # an MP3 has other bits for its layer
    avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return head.startswith(_BEGINNINGS) or head[4:8] in _BOXES or adts or avi


def read_track(path: Path, name: str | Path, *, maximum_samples: int) -> tuple[Array, int]:
    """The sound of a file, and its rate.

    Args:
        path: the file, of at most 1 GiB.
        name: what to call it in errors.
        maximum_samples: of one channel.

    Returns:
        float32 `(samples,)`, full scale 1, channels averaged; and samples a second.

    Raises:
        DataError: it is missing, has no sound, is damaged or beyond a limit.
    """
    require_file(path, maximum_bytes=MAXIMUM_BYTES, noun="sound")
    request = {"path": str(unpacked_source(path).resolve()), "maximum_samples": maximum_samples}
    with _lock:
        found = _process().read(name, request, seconds=MAXIMUM_SECONDS)
    return found[1:], int(found[0])


def track_blocks(path: Path, name: str | Path) -> Iterator[tuple[int, Array]]:
    """As `read_track`, of a file of any length: samples a second, and float32 `(samples,)`, part by part."""
    require_file(path, maximum_bytes=MAXIMUM_BYTES, noun="sound")
    file, first = str(unpacked_source(path).resolve()), 0
    while True:
        with _lock:
            request = {"path": file, "first": first, "count": PART_SAMPLES}
            found = _process().read(name, request, seconds=MAXIMUM_SECONDS)
        if len(found) == 1:
            return
        first += len(found) - 1
        yield int(found[0]), found[1:]


def parse_track(content: bytes, name: str | Path, *, maximum_samples: int) -> tuple[Array, int]:
    """As `read_track`, of the bytes of a file."""
    with tempfile.NamedTemporaryFile(prefix="rnnapps-sound-") as file:
        file.write(content)
        file.flush()
        return read_track(Path(file.name), name, maximum_samples=maximum_samples)


@functools.cache
def _process() -> GuardedProcess:
    """The process that reads all such files; it ends with this one."""
    process = GuardedProcess(WORKER, MEMORY_BYTES)
    atexit.register(process.stop)
    return process
