"""How files of text are read. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Markup", "ReadAs"]

Markup = Literal["strip", "keep"]


@dataclass(frozen=True)
class ReadAs:
    """How files of text are read.

    Attributes:
        pattern: which files of a folder are read, such as `*.py`; empty for those that end in `TEXT_SUFFIXES`, or else
            in `DOCUMENT_SUFFIXES`.
        field: the field of JSON lines, or the column of tables, to read; see `record_texts`.
        encoding: of all files; empty for UTF-8, what a byte order mark tells, or what makes sense of a file.
        markup: whether that of HTML, EPUB and DOCX is left out.
    """

    pattern: str = ""
    field: str = ""
    encoding: str = ""
    markup: Markup = "strip"
