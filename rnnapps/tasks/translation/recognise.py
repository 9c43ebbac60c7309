"""Whether data look like sentences and their translations."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

from rnnapps.contract.recognised import Recognised
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.look.heads import head_of
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.lines import Line
from rnnapps.tasks.translation.data.pair_lines import pair_lines
from rnnapps.tasks.translation.data.tmx import TMX_SUFFIX

__all__ = ["recognise"]

MOST = 0.8
"""The share of lines that have to be pairs."""

NO_SENTENCE = re.compile(r"[-+\d.,:;/ %€$]*|\S+\.\w{2,5}")
"""A number, a time, or the name of a file."""


def recognise(source: str) -> Recognised | None:
    """Most of the lines have two sides, and both are sentences; or it is a translation memory."""
    head = head_of(source)
    if plain_suffix(head.path) == TMX_SUFFIX:
        return Recognised("a translation memory")
    if not head.lines:
        return None
    with contextlib.redirect_stderr(io.StringIO()):
        sides = list(_sides(head.path, list(head.lines)))
    pairs = sum(not any(NO_SENTENCE.fullmatch(side.strip()) for side in pair) for pair in sides)
    return Recognised("lines with two sentences each") if pairs > MOST * len(head.lines) else None


def _sides(path: Path, lines: list[str]) -> Iterator[tuple[str, str]]:
    """Those lines that have two sides."""
    try:
        for line in pair_lines(path, [Line(number, text, 0) for number, text in enumerate(lines, start=1)]):
            with contextlib.suppress(DataError):
                yield line.sides()
    except DataError:
        return
