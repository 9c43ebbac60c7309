"""What every kind of data source shares: guarded files, folders, and TensorFlow Datasets."""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.data.compressed import decompressed, plain_suffix
from rnnapps.errors import DataError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

__all__ = ["is_tfds", "list_files", "parse_tfds", "read_bytes", "read_head", "tfds_builder"]

TFDS_PREFIX = "tfds:"
DOWNLOAD_RETRIES = 3
_TFDS_NAME = re.compile(r"[a-z][a-z0-9_]*(/[A-Za-z0-9_.+-]+)?(:\d+\.\d+\.\d+)?")


def read_bytes(path: Path, *, maximum_bytes: int) -> bytes:
    """Reads a regular file whole; one that is compressed is unpacked.

    Args:
        path: the file; a symbolic link is followed.
        maximum_bytes: largest size accepted, and the most that is unpacked.

    Raises:
        DataError: missing, a dangling link, a folder or device, not permitted, or too large.
    """
    with _clear_errors(path):
        information = path.stat()
        if not stat.S_ISREG(information.st_mode):
            raise DataError(path, "is not a regular file", "give the path of a file")
        if information.st_size > maximum_bytes:
            raise DataError(
                path,
                f"has {information.st_size:,} bytes; at most {maximum_bytes:,} are read into memory",
                "split it into smaller files and use a part of it",
            )
        return decompressed(path.read_bytes(), path, maximum_bytes=maximum_bytes)


def read_head(path: Path, size: int) -> bytes:
    """The first bytes of a file.

    Args:
        path: the file; a symbolic link is followed.
        size: how many, at most.

    Raises:
        DataError: missing, a dangling link, a folder, or not permitted.
    """
    with _clear_errors(path), open(path, "rb") as file:
        return file.read(size)


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Raises DataError for what the system says of a file that cannot be read."""
    try:
        yield
    except FileNotFoundError:
        problem = "is a symbolic link to a file that does not exist" if path.is_symlink() else "does not exist"
        raise DataError(path, problem, "check the path") from None
    except PermissionError:
        raise DataError(path, "cannot be read: permission denied", "change its permissions") from None
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}", "check the path and the disk") from None


def list_files(folder: Path, suffixes: Collection[str] | None = None) -> list[Path]:
    """Finds the files of a folder and its subfolders whose names end in one of the suffixes, compressed ones too.

    Hidden files and folders (names starting with a dot) are skipped. Symbolic links are followed; a file or folder
    that can be reached twice counts once. The order is that of the paths relative to `folder`, compared part by part
    by code point, the same on every machine.

    Args:
        folder: an existing folder.
        suffixes: accepted endings in lower case, such as ".txt"; None for all files.

    Raises:
        DataError: a folder cannot be read.
    """
    try:
        found = list(_walk(folder, seen={os.path.realpath(folder)}))
    except OSError as error:
        raise DataError(error.filename or folder, f"cannot be read: {error.strerror}", "check permissions") from None
    fitting = (path for path in found if suffixes is None or plain_suffix(path) in suffixes)
    wanted = sorted(fitting, key=lambda path: path.parts)
    unique: dict[str, Path] = {}
    for path in wanted:
        unique.setdefault(os.path.realpath(path), path)
    return list(unique.values())


def _walk(folder: Path, seen: set[str]) -> Iterator[Path]:
    """The files below a folder; folders that links lead to once only."""
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if name.startswith("."):
            continue
        if not path.is_dir():
            yield path
        elif (real := os.path.realpath(path)) not in seen:
            seen.add(real)
            yield from _walk(path, seen)


def is_tfds(source: str) -> bool:
    """Tells whether a source is the name of a TensorFlow data set, `tfds:NAME[/config]`."""
    return source.startswith(TFDS_PREFIX)


def parse_tfds(source: str) -> str:
    """Returns `NAME[/config][:version]` of a source `tfds:NAME[/config][:version]`.

    Raises:
        DataError: the name is malformed.
    """
    name = source.removeprefix(TFDS_PREFIX)
    if not is_tfds(source) or not _TFDS_NAME.fullmatch(name):
        raise DataError(source, "is not the name of a TensorFlow data set", "write tfds:NAME or tfds:NAME/config")
    return name


def tfds_builder(source: str, *, data_dir: str | None = None) -> tfds.core.DatasetBuilder:
    """Returns the prepared `tfds.core.DatasetBuilder` of a `tfds:` source, downloading it when needed.

    Data lie in `data_dir`, or else where TensorFlow Datasets keeps them (`TFDS_DATA_DIR`, `~/tensorflow_datasets`).

    Raises:
        DataError: no such data set or configuration, no network and nothing cached, or the preparation fails.
    """
    name = parse_tfds(source)
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except ImportError as error:
        raise DataError(source, f"needs a package: {_first_line(error)}", "install it with pip") from error
    except Exception as error:
        kind = "data set" if isinstance(error, tfds.core.DatasetNotFoundError) else "configuration or version"
        remedy = "see https://www.tensorflow.org/datasets/catalog for the names"
        raise DataError(source, f"TensorFlow Datasets cannot open a {kind} of this name", remedy) from error
    with _quick_to_give_up():
        try:
            builder.download_and_prepare()
        except Exception as error:
            raise _preparation_error(source, builder, error) from error
    return builder


def _preparation_error(source: str, builder: tfds.core.DatasetBuilder, error: Exception) -> DataError:
    """What to tell of a data set that cannot be made ready."""
    import requests

    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout):
        where = Path(builder.data_dir).parents[1] / "downloads"
        problem = "is not on this machine and cannot be downloaded: no network"
        return DataError(source, problem, f"connect once, put its files into {where}, or use --data.source builtin")
    return DataError(source, f"cannot be prepared: {_first_line(error)}", "see its page in the TFDS catalogue")


@contextmanager
def _quick_to_give_up() -> Iterator[None]:
    """Without a network TensorFlow Datasets retries for 200 s with a page of warnings; this makes it a few seconds."""
    from tensorflow_datasets.core.download import downloader

    logger = logging.getLogger("urllib3.connectionpool")
    level, retries = logger.level, getattr(downloader, "MAX_RETRIES", None)
    logger.setLevel(logging.ERROR)
    if retries is not None:
        downloader.MAX_RETRIES = DOWNLOAD_RETRIES
    try:
        yield
    finally:
        logger.setLevel(level)
        if retries is not None:
            downloader.MAX_RETRIES = retries


def _first_line(error: Exception) -> str:
    """The first line of an error, or its type if it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
