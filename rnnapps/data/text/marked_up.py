"""The text of documents with markup: web pages and e-books by inscriptis, Word documents by python-docx."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import ModuleType
from urllib.parse import unquote
from xml.etree import ElementTree

from rnnapps.data.compressed import plain_suffix
from rnnapps.data.text.encodings import encoding_of
from rnnapps.errors import DataError

__all__ = ["DOCUMENT_SUFFIXES", "document_reader"]

HTML_SUFFIXES = (".html", ".htm", ".xhtml")
DOCUMENT_SUFFIXES = (*HTML_SUFFIXES, ".epub", ".docx")
MAXIMUM_BYTES = 1 << 28
"""That the parts of a document may unpack to."""

_CHARSET = re.compile(rb"<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_PACKAGE = "{http://www.idpf.org/2007/opf}"
_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"

Reader = Callable[[bytes, str | Path], str]


def document_reader(path: str | Path, content: bytes) -> Reader | None:
    """What reads the text of a document with markup; None for plain text, and for what is neither.

    Args:
        path: its name, whose ending tells web pages.
        content: its first bytes or all of them.
    """
    if plain_suffix(path) in HTML_SUFFIXES:
        return _html
    if content.startswith(b"PK\x03\x04"):
        if b"application/epub+zip" in content[:100] or plain_suffix(path) == ".epub":
            return _epub
        if plain_suffix(path) == ".docx" or b"word/" in content[:65_536]:
            return _docx
    return None


def _html(content: bytes, name: str | Path) -> str:
    """The text of a web page as a browser lays it out."""
    inscriptis = _package("inscriptis", name)
    try:
        text: str = inscriptis.get_text(_decoded(content))
    except Exception as error:  # whatever its parser runs into
        raise _unreadable(name, error) from None
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").split("\n")) if text.strip() else ""


def _decoded(content: bytes) -> str:
    """A page in the encoding of its byte order mark or its header, else UTF-8; browsers do not refuse wrong bytes."""
    told = _CHARSET.search(content[:2048])
    encoding = encoding_of(content[:4])
    if encoding == "UTF-8" and told:
        encoding = told[1].decode("ascii")
    try:
        return content.decode(encoding, "replace").removeprefix("\ufeff")
    except LookupError:
        return content.decode("utf-8", "replace")


def _epub(content: bytes, name: str | Path) -> str:
    """The chapters of a book in the order in which they are read."""
    _package("inscriptis", name)
    try:
        with _opened(content, name) as archive:
            chapters = [archive.read(part) for part in _spine(archive, name)]
    except DataError:
        raise
    except Exception as error:  # damaged archives, and what is no XML
        raise _unreadable(name, error) from None
    return "\n".join(filter(None, (_html(chapter, name) for chapter in chapters)))


def _spine(archive: zipfile.ZipFile, name: str | Path) -> list[str]:
    """The parts of a book that hold its chapters; raises DataError where they are encrypted."""
    container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
    place = container.find(f".//{_CONTAINER}rootfile")
    package = PurePosixPath("" if place is None else place.get("full-path", ""))
    book = ElementTree.fromstring(archive.read(str(package)))
    manifest = {item.get("id"): item.get("href", "") for item in book.iter(f"{_PACKAGE}item")}
    wanted = [manifest.get(item.get("idref"), "") for item in book.iter(f"{_PACKAGE}itemref")]
    hrefs = dict.fromkeys(href for href in wanted if href)  # a chapter is read once
    parts = [posixpath.normpath(package.parent / unquote(href)) for href in hrefs]
    try:
        encrypted = archive.read("META-INF/encryption.xml").decode("utf-8", "replace")
    except KeyError:
        encrypted = ""
    if any(PurePosixPath(part).name in encrypted for part in parts):
        raise DataError(name, "is a book whose chapters are encrypted", "give one without copy protection")
    return parts


def _docx(content: bytes, name: str | Path) -> str:
    """The paragraphs and the cells of tables, a line each."""
    docx = _package("docx", name)
    try:
        with _opened(content, name):
            document = docx.Document(io.BytesIO(content))
        blocks = document.iter_inner_content()
        lines = [line for block in blocks for line in _block_lines(block)]
    except DataError:
        raise
    except Exception as error:  # whatever a damaged document lets it run into
        raise _unreadable(name, error) from None
    return "".join(f"{line}\n" for line in lines)


def _block_lines(block: object) -> list[str]:
    """The lines of a paragraph, or of the rows of a table."""
    rows = getattr(block, "rows", None)
    if rows is None:
        return str(getattr(block, "text", "")).split("\n")
    return ["\t".join(" ".join(cell.text.split()) for cell in row.cells) for row in rows]


def _opened(content: bytes, name: str | Path) -> zipfile.ZipFile:
    """The archive that a document is; raises DataError where it unpacks to too much."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    total = sum(entry.file_size for entry in archive.infolist())
    if total > MAXIMUM_BYTES:
        archive.close()
        problem = f"unpacks to {total:,} bytes; at most {MAXIMUM_BYTES:,} are read"
        raise DataError(name, problem, "save its text alone")
    return archive


def _package(module: str, name: str | Path) -> ModuleType:
    """A module of the extra `documents`; raises DataError where it is missing."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        remedy = "pip install 'rnnapps[documents]', or read it as it is written: --data.markup keep"
        raise DataError(name, f"is a document with markup, for which the package {module} is needed", remedy) from None


def _unreadable(name: str | Path, error: Exception) -> DataError:
    """What is said of a damaged document."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return DataError(name, f"cannot be read: {reason}", "save it again, or save its text alone")
