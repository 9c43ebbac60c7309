"""Sources of text that are larger than memory: read once, document by document, and kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.converters import converted
from rnnapps.data.digest import digest_files
from rnnapps.data.stored.counted import open_counted
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.data.text.documents import file_documents, source_files
from rnnapps.data.text.marked_up import DOCUMENT_SUFFIXES
from rnnapps.data.text.read_as import ReadAs
from rnnapps.data.text.records import has_records, record_texts
from rnnapps.errors import DataError
from rnnapps.tasks.text_generation.data.long_files import encoding_of_file, lines_of, text_pieces
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.text_writer import write_documents

__all__ = ["source_bytes", "stored_documents"]

FORMAT = "1"
"""Changes when the same files would be read as another text."""

LONG_FILE = 1 << 25
"""Bytes from which on a file is read in pieces."""


def source_bytes(source: str, read_as: ReadAs) -> int:
    """How many bytes the files of a source have; 0 where it is no file and no folder, or has none."""
    path = unpacked_source(source)
    paths = source_files(path, read_as) if path.is_dir() else [path]
    return sum(file.stat().st_size for file in paths if file.is_file())


def stored_documents(source: str, good: GoodExamples, read_as: ReadAs, kept: StoredFolders) -> StoredText:
    """The documents of a file or a folder, as `read_documents` reads them, on disk.

    Args:
        source: a file or a folder.
        good: counts the documents that cannot be read.
        read_as: how files are read.
        kept: where they are kept: what was read before is not read again.

    Raises:
        DataError: the source is missing, unreadable or not text.
    """
    path = unpacked_source(source)
    paths = source_files(path, read_as) if path.is_dir() else [path]
    digest = hashlib.sha256(repr((FORMAT, *astuple(read_as), good.skips, path.is_dir())).encode())
    for file in paths:
        digest.update(repr(str(file.relative_to(path)) if path.is_dir() else file.suffix).encode())
    digest_files(digest, paths)
    reader = _documents_of_folder(paths, read_as, good) if path.is_dir() else _documents(path, read_as, good, source)
    folder = open_counted(kept, digest.hexdigest(), lambda made: write_documents(made, reader), good)
    return StoredText.open(folder, kept)


def _documents_of_folder(paths: Iterable[Path], read_as: ReadAs, good: GoodExamples) -> Iterator[Iterable[str]]:
    """The documents of files: one each, or one a record."""
    for path in paths:
        try:
            yield from _documents(path, read_as, good, path)
        except DataError as error:
            good.leave_out(error)
        else:
            good.count += not has_records(path, read_as.field)


def _documents(path: Path, read_as: ReadAs, good: GoodExamples, name: str | Path) -> Iterator[Iterable[str]]:
    """The documents of a file, each in pieces."""
    path = converted(path, "text")
    marked_up = read_as.markup == "strip" and plain_suffix(path) in DOCUMENT_SUFFIXES
    if marked_up or not path.is_file() or path.stat().st_size < LONG_FILE:
        for text in file_documents(path, read_as, good, name=name):
            yield [text]
        return
    pieces = text_pieces(path, encoding_of_file(path, read_as.encoding, name))
    if not has_records(path, read_as.field):
        yield pieces
        return
    for text in record_texts(name, lines_of(pieces), read_as.field, good):
        yield [text]
