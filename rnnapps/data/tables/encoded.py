"""CSV files that are not UTF-8: by their byte order mark, or in the encoding that makes sense of them."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from rnnapps.atomic import atomic_file
from rnnapps.data.sources import read_head
from rnnapps.data.temporary import place_beside
from rnnapps.data.text.encodings import SAMPLE_BYTES, encoding_of, likely_encoding
from rnnapps.errors import DataError

__all__ = ["table_encoding", "utf8_copy"]

CHUNK_BYTES = 1 << 24
WESTERN = "cp1252"
_SIGNS = frozenset("°µ²³€£¥§±·×ª«»‰–—‘’“”…\xa0")
"""Of units and of texts, beside letters."""

_RARE = frozenset("ÿþ")
"""Letters that are more likely bytes of something else."""


def table_encoding(path: Path) -> str:
    """The encoding of a CSV file, UTF-8 where none is known that makes sense of it.

    Raises:
        DataError: it cannot be read.
    """
    marked = encoding_of(read_head(path, 4))
    if marked != "UTF-8":
        return marked
    sample = _foreign_lines(path)
    if not sample:
        return "UTF-8"
    found = likely_encoding(sample)
    if found is None and _is_western(sample):
        found = WESTERN
    return found or "UTF-8"


def utf8_copy(path: Path, encoding: str) -> Path:
    """A copy of a text in UTF-8, which is removed when the process ends; raises DataError where it is none."""
    target, made = place_beside(path, "utf8", path.name)
    if made:
        return target
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open(path, "rb") as file, atomic_file(target) as temporary, open(temporary, "wb") as copy:
            while chunk := file.read(CHUNK_BYTES):
                copy.write(decoder.decode(chunk).encode())
            copy.write(decoder.decode(b"", final=True).encode())
    except UnicodeError:
        raise DataError(path, f"is not {encoding} text", "save it as UTF-8") from None
    except OSError as error:
        raise DataError(path, f"cannot be copied: {error.strerror}", "free space in the temporary folder") from None
    return target


def _foreign_lines(path: Path) -> bytes:
    """The first lines that are not ASCII, of a file that is not UTF-8; none of one that is, or that holds zeros."""
    with open(path, "rb") as file:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(CHUNK_BYTES):
                if b"\0" in chunk:
                    return b""
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            file.seek(0)
        else:
            return b""
        lines, size = io.BytesIO(), 0
        for line in file:
            if not line.isascii():
                lines.write(line)
                size += len(line)
            if size > SAMPLE_BYTES:
                break
        return lines.getvalue()


def _is_western(sample: bytes) -> bool:
    """Whether all that is beyond ASCII is letters and usual signs of western Europe."""
    try:
        signs = {sign for sign in sample.decode(WESTERN) if not sign.isascii()}
    except UnicodeDecodeError:
        return False
    return all(sign in _SIGNS or (sign.isalpha() and sign not in _RARE) for sign in signs)
