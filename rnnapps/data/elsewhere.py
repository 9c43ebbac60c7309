"""Sources that are no single path: patterns of paths, and URLs of any kind that fsspec knows; brought to a path."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from rnnapps.data.compressed import CHUNK_BYTES
from rnnapps.errors import DataError

if TYPE_CHECKING:
    import fsspec

__all__ = ["copied", "fetched", "is_pattern", "is_url", "linked"]

MOST_FILES = 1_000_000
_URL = re.compile(r"[a-z][a-z0-9+.-]*(::|://)", re.IGNORECASE)
_INSTALL = re.compile(r"install (?:\S+ )?[\"'`]?([a-z][\w-]*)", re.IGNORECASE)


def is_url(source: str | Path) -> bool:
    """Whether a source is a URL, such as `s3://bucket/folder` or `https://host/file.csv`."""
    return isinstance(source, str) and bool(_URL.match(source))


def is_pattern(source: str | Path) -> bool:
    """Whether a source is a pattern, such as `data/*.csv`; a path that exists, or one that a list names, is none."""
    return isinstance(source, str) and glob.has_magic(source) and not os.path.lexists(source)


def linked(pattern: str, folder: Path) -> Path:
    """The files that a pattern such as `data/*.csv` or `data/**/*.wav` finds: one alone as it is, several in a folder.

    Args:
        pattern: of paths on this machine, as a shell has it.
        folder: where a link to each is made, in the folders that they lie in below the pattern's own.

    Raises:
        DataError: it finds nothing.
    """
    found = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    if not found:
        raise DataError(pattern, "finds no file", "quote it, so that the shell leaves it alone, and check the path")
    if len(found) == 1:
        return Path(found[0])
    root = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in found])
    for path in found:
        whole = os.path.abspath(path)
        target = folder / os.path.relpath(whole, root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_symlink():
            target.symlink_to(whole)
    return folder


def fetched(url: str, folder: Path, *, room: int) -> Path:
    """A file, or the files of a folder or a pattern, copied from elsewhere.

    Args:
        url: of any kind that fsspec knows, with its settings from the environment.
        folder: an existing folder, to which is copied.
        room: the most bytes that are.

    Raises:
        DataError: a package is missing, there is no such place, it cannot be read, or it is too much.
    """
    try:
        import fsspec
    except ImportError:
        raise DataError(url, "is a URL, for which fsspec is needed", "pip install 'rnnapps[urls]'") from None
    try:
        system, path = fsspec.core.url_to_fs(url)
        files = _listed(system, path)
        names = {own: _safe(own, path, url) for own in files}
        known = sum(int(details.get("size") or 0) for details in files.values())
        if known > room or len(files) > MOST_FILES:
            raise _too_large(url, room)
        print(f"note: {url}: {len(files):,} files are fetched, {known:,} bytes", file=sys.stderr)
        total = 0
        for own, name in names.items():
            with system.open(own, "rb") as stream:
                total += copied(stream, folder / name, room - total, too_large=_too_large(url, room))
    except DataError:
        raise
    except Exception as error:  # whatever the libraries of a protocol let out
        raise _unreadable(url, error) from None
    return folder / next(iter(names.values())) if len(names) == 1 else folder


def _listed(system: fsspec.AbstractFileSystem, path: str) -> Mapping[str, Mapping[str, Any]]:
    """The files of a path, a folder or a pattern, with what is known of each."""
    if glob.has_magic(path):
        found = system.glob(path, detail=True)
    elif system.isfile(path):
        return {path: system.info(path)}
    else:
        found = system.find(path, detail=True)
    files = {name: found[name] for name in sorted(found) if found[name].get("type") == "file"}
    if not files:
        raise FileNotFoundError(path)
    return files


def _safe(own: str, path: str, url: str) -> PurePosixPath:
    """The path of a file below the one that was asked for, or below a pattern's folder; never outside of it."""
    magic = re.search(r"[*?\[]", path)
    base = PurePosixPath(path[: magic.start()].rpartition("/")[0] if magic else path)
    whole = PurePosixPath(own.split("?")[0])
    inside = whole.relative_to(base) if whole.is_relative_to(base) and whole != base else PurePosixPath(whole.name)
    if not inside.parts or ".." in inside.parts or "\0" in own:
        raise DataError(url, f"holds {own!r}, which lies outside of it", "do not trust it")
    return inside


def _unreadable(url: str, error: Exception) -> DataError:
    """What is said of a place that cannot be read."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, ImportError):
        package = _INSTALL.search(reason)
        return DataError(url, f"needs a package: {reason}", f"pip install {package[1] if package else 'what it names'}")
    if isinstance(error, FileNotFoundError):
        return DataError(url, "does not exist", "check the address")
    return DataError(url, f"cannot be fetched: {reason}", "check the address, the network and your credentials")


def _too_large(url: str, room: int) -> DataError:
    """What is said of a place that holds too much."""
    return DataError(url, f"is more than the {room:,} bytes or {MOST_FILES:,} files there is room for", "fetch a part")


def copied(stream: IO[bytes], target: Path, room: int, *, too_large: DataError) -> int:
    """Writes what can be read to a file, whose folder is made; returns its size.

    Args:
        stream: what is read.
        target: the file.
        room: the most bytes that are written.
        too_large: raised where there is more.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with open(target, "wb") as file:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > room:
                raise too_large
            file.write(chunk)
    return size
