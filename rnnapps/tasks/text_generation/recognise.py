"""Whether data look like running text."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.look.heads import TABLE_SUFFIXES, head_of
from rnnapps.data.text.documents import TEXT_SUFFIXES
from rnnapps.data.text.json_lines import json_object
from rnnapps.data.text.records import CHAT, FIELDS, has_records
from rnnapps.errors import DataError

__all__ = ["recognise"]

SEPARATORS = ("\t", "|||")


def recognise(source: str) -> Recognised | None:
    """Most of the files are text, and its lines are no pairs; or JSON lines hold a text each."""
    head = head_of(source)
    if head.path.is_dir():
        return Recognised(head.told(TEXT_SUFFIXES, "files of text")) if head.share(TEXT_SUFFIXES) > 0.5 else None
    if not head.lines:
        return None
    if has_records(head.path, field=""):
        return Recognised("records with a text each") if _has_text(source, head.lines[0]) else None
    suffix = plain_suffix(head.path)
    if suffix in TABLE_SUFFIXES:
        return None
    in_columns = sum(any(sign in line for sign in SEPARATORS) for line in head.lines) * 2 > len(head.lines)
    return Recognised("lines of text", plain=suffix in TEXT_SUFFIXES and not in_columns)


def _has_text(source: str, line: str) -> bool:
    try:
        return any(name in json_object(source, "line 1", line) for name in (*FIELDS, CHAT))
    except DataError:
        return False
