"""What a file is by its first bytes, where text was expected, and the shortest way from it to text."""

from __future__ import annotations

import codecs
from pathlib import Path

from rnnapps.errors import DataError

__all__ = ["HEAD_BYTES", "kind_of", "require_table", "require_text"]

HEAD_BYTES = 65_536
"""So many bytes tell what a file is."""

_WRITTEN = (
    (b"%PDF-", "a PDF document", "write its text into a file first, for instance: pdftotext -enc UTF-8 FILE.pdf"),
    (b"{\\rtf", "an RTF document", "save it as plain text in UTF-8"),
)
_BINARY = (
    (b"\xd0\xcf\x11\xe0", "an old Microsoft Office document", "save it as plain text or CSV in UTF-8"),
    (b"PAR1", "a Parquet file", "give it a name that ends in .parquet where tables are read"),
    (b"ARROW1", "a Feather (Arrow) file", "write it as CSV or Parquet"),
    (b"SQLite format 3\0", "an SQLite database", "write the result of a query as CSV: sqlite3 -header -csv FILE QUERY"),
    (b"\x89HDF\r\n", "an HDF5 file", "write its arrays as CSV or Parquet"),
    (b"\x93NUMPY", "a NumPy array", "write it as CSV (numpy.savetxt) or give it from Python"),
    (b"\x1f\x8b", "compressed by gzip", "unpack it: gzip -d FILE"),
    (b"BZh", "compressed by bzip2", "unpack it: bzip2 -d FILE"),
    (b"\xfd7zXZ", "compressed by xz", "unpack it: xz -d FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard", "unpack it: zstd -d FILE"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it and give the file within"),
    (b"Rar!", "a RAR archive", "unpack it and give the file within"),
    (b"\x89PNG", "a PNG picture", "give text instead"),
    (b"\xff\xd8\xff", "a JPEG picture", "give text instead"),
    (b"GIF8", "a GIF picture", "give text instead"),
    (b"RIFF", "a WAV, AVI or WebP file", "give text instead"),
    (b"fLaC", "a FLAC recording", "give text instead"),
    (b"ID3", "an MP3 recording", "give text instead"),
    (b"OggS", "an Ogg recording", "give text instead"),
    (b"MThd", "a MIDI file", "give text instead"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video", "give text instead"),
)
_ARCHIVED = (
    (
        b"application/epub+zip",
        "an EPUB book",
        "save it as plain text in UTF-8 (pandoc -t plain -o FILE.txt FILE.epub)",
    ),
    (b"opendocument.text", "an OpenDocument text", "save it as plain text in UTF-8"),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", "save the sheet as CSV in UTF-8"),
    (b"word/", "a Word document (DOCX)", "save it as plain text in UTF-8"),
    (b"xl/", "an Excel workbook (XLSX)", "save the sheet as CSV in UTF-8"),
    (b"ppt/", "a PowerPoint file (PPTX)", "save it as plain text in UTF-8"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it and give the file within"),
)
_ZIP = b"PK\x03\x04"


def require_text(content: bytes, name: str | Path) -> None:
    """Refuses a file which the first bytes show to be something else than text.

    Args:
        content: the first bytes, up to `HEAD_BYTES` of them matter.
        name: what to call the file.

    Raises:
        DataError: it is a document, archive, picture or the like, with what it is and the way to text.
    """
    found = _known(content[:HEAD_BYTES])
    if found:
        raise DataError(name, f"is {found[0]}, not text", found[1])


def kind_of(content: bytes) -> str:
    """What a file is by its first bytes, for an error of a reader of something else: "a PDF document"; "" if unknown.

    Args:
        content: the first bytes, up to `HEAD_BYTES` of them matter.
    """
    head = content[:HEAD_BYTES]
    found = _known(head)
    if found:
        return found[0]
    start = head.lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if start.startswith((b"version https://git-lfs",)):
        return "a pointer of Git LFS, not the file itself (git lfs pull)"
    return "plain text" if head and not _is_binary(head) and head.isascii() else ""


def _known(head: bytes) -> tuple[str, str] | None:
    """What a file is, and the shortest way to text; None for text, and for what is not known."""
    if head.startswith(_ZIP):
        found = next((kind for kind in _ARCHIVED if kind[0] in head), None)
    else:
        kinds = _WRITTEN + _BINARY if _is_binary(head) else _WRITTEN  # a text may well begin with "ID3" or "RIFF"
        found = next((kind for kind in kinds if head.startswith(kind[0])), None)
    if found is None and head[4:8] == b"ftyp" and _is_binary(head):
        return "an MP4 or M4A file", "give text instead"
    return found and (found[1], found[2])


def require_table(content: bytes, name: str | Path) -> None:
    """Refuses what cannot be the first bytes of a table of UTF-8 text.

    Raises:
        DataError: as for `require_text`; or it is UTF-16, binary, or has the line ends of old Macintosh files.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(name, "is UTF-16 text, expected UTF-8", "convert it with: iconv -f UTF-16 -t UTF-8")
    require_text(content, name)
    if b"\0" in content:
        raise DataError(name, "looks binary: it holds zero bytes", "give a CSV or Parquet file")
    if b"\r" in content.replace(b"\r\n", b"").removesuffix(b"\r"):
        raise DataError(name, "has line ends of old Macintosh files", "convert it with: tr '\\r' '\\n'")


def _is_binary(head: bytes) -> bool:
    """Whether there are bytes that no text holds: zeros, or what is neither UTF-8 nor cut off at the end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return True
    return b"\0" in head
