"""Sources brought to a path: archives and compressed files unpacked, URLs fetched, for as long as the process lasts."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from rnnapps.data.compressed import BROKEN, compression_of, open_compressed, plain_name
from rnnapps.data.elsewhere import copied, fetched, is_pattern, is_url, linked
from rnnapps.data.temporary import temporary_folder
from rnnapps.errors import DataError

__all__ = ["unpacked_source"]

UNPACKED = "unpacked"
"""Of temporary folders."""

MOST_BYTES = 64 << 30
MOST_FILES = 1_000_000
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
DAMAGED = (*BROKEN, RuntimeError, NotImplementedError, zipfile.BadZipFile, tarfile.TarError)
"""What is raised where an archive is damaged, encrypted or of an unknown kind."""


def unpacked_source(source: str | Path) -> Path:
    """The path to read: that of the source, or, of an archive or a compressed file, what it holds.

    An archive of one file stands for that file, others for a folder; hidden files, links and what macOS adds are left
    out. A pattern stands for the folder of what it finds, a URL for what is fetched from there. What is unpacked or
    fetched is removed when the process ends.

    Args:
        source: a file or a folder; `.zip`, `.tar` (with gzip, bzip2 or xz), or a compressed file such as `a.csv.gz`; a
            pattern such as `data/*.csv` or a URL such as `s3://bucket/folder`, which are texts and no `Path`.

    Raises:
        DataError: an archive is damaged, encrypted or empty, names files outside itself, or unpacks to too much; a
            pattern finds nothing; a URL cannot be read.
    """
    path = _brought(str(source)) if is_url(source) or is_pattern(source) else Path(source)
    try:
        if not path.is_file():
            return path
        with open(path, "rb") as file:
            head = file.read(8)
    except OSError:
        return path  # whoever reads it says what is wrong
    archive = path.name.lower().endswith(ARCHIVES)
    if not archive and not compression_of(path, head):
        return path
    information = path.stat()
    return _unpacked(path.resolve(), information.st_size, information.st_mtime_ns, archive)


@functools.lru_cache(maxsize=64)
def _brought(source: str) -> Path:
    """The path of what a URL or a pattern stands for."""
    name = hashlib.sha256(source.encode()).hexdigest()[:8]
    folder = (
        temporary_folder(UNPACKED) / name / (re.sub(r"[^\w.-]+", "_", source.rstrip("/*")).strip("_")[-60:] or name)
    )
    folder.mkdir(parents=True, exist_ok=True)
    if is_url(source):
        return fetched(source, folder, room=_room())
    return linked(source, folder)


@functools.lru_cache(maxsize=64)
def _unpacked(path: Path, size: int, changed: int, archive: bool) -> Path:
    """What a file holds, unpacked once for each state of the file."""
    folder = temporary_folder(UNPACKED) / f"{size}-{changed}" / path.name
    room = _room()
    count = total = 0
    try:
        for name, stream in _archived(path) if archive else _compressed(path):
            large = DataError(path, f"unpacks to more than the {room:,} bytes there is room for", "unpack a part")
            count, total = count + 1, total + copied(stream, folder / name, room - total, too_large=large)
            if count > MOST_FILES:
                raise DataError(path, f"holds more than {MOST_FILES:,} files", "unpack it and give a part of it")
    except DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        remedy = "copy it again, or unpack it and give what it holds"
        raise DataError(path, f"cannot be unpacked: {reason}", remedy) from None
    if not count:
        raise DataError(path, "is an archive without files", "give one that holds some")
    return _only(folder)


def _archived(path: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """The files of an archive, in its order."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir() and (name := _safe(entry.filename, path)):
                    with archive.open(entry) as stream:
                        yield name, stream
        return
    with tarfile.open(path, "r:*") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None and (name := _safe(member.name, path)):
                yield name, content


def _compressed(path: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """The one file that a compressed file holds."""
    with open(path, "rb") as file:
        compression = compression_of(path, file.read(8))
        file.seek(0)
        with open_compressed(file, compression) as stream:
            yield PurePosixPath(plain_name(path)), stream


def _safe(name: str, archive: Path) -> PurePosixPath | None:
    """The name of a member; None for hidden ones; raises DataError for one that would lie outside."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or ":" in name[:2] or "\0" in name:
        raise DataError(archive, f"holds {name!r}, which lies outside of it", "do not trust it")
    if not parts or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return None
    return PurePosixPath(*parts)


def _only(folder: Path) -> Path:
    """The file, where a folder holds one alone; the folder, where it holds one alone, and so on."""
    inside = list(folder.iterdir())
    while len(inside) == 1:
        folder = inside[0]
        inside = list(folder.iterdir()) if folder.is_dir() else []
    return folder


def _room() -> int:
    """The most bytes that are unpacked or fetched."""
    return min(MOST_BYTES, shutil.disk_usage(temporary_folder(UNPACKED)).free)
