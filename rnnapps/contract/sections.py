"""The building blocks of a report: plain data, which `rnnapps.reports.render` turns into HTML.

A pipeline adds to its report by passing `Section`s of these blocks to `write_report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = [
    "Block",
    "Details",
    "Gallery",
    "Paragraph",
    "Picture",
    "Samples",
    "Section",
    "ShadedText",
    "Sound",
    "Table",
    "Value",
]

Value = str | int | float | None


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text.

    Attributes:
        text: the text; it is escaped, so it may come from a model or a user.
        verdict: set it off as a finding of the section.
    """

    text: str
    verdict: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row.

    Attributes:
        columns: the headings.
        rows: the cells; numbers are rounded for display and kept exactly in the page, None is shown as a dash.
        caption: what the table shows.
        best: (row, column) of cells to mark as best of their column.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    caption: str = ""
    best: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(f"table row {number} has {len(row)} cells; expected {len(self.columns)}")


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        light: the bytes of the picture.
        alt: what it shows, for those who do not see it.
        caption: text below it.
        dark: the same picture for dark pages; `light` where missing.
        media_type: "image/svg+xml", "image/png"...
    """

    light: bytes
    alt: str
    caption: str = ""
    dark: bytes | None = None
    media_type: str = "image/svg+xml"

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError("a picture needs an alt text that says what it shows")


@dataclass(frozen=True)
class Gallery:
    """Pictures beside each other where the page is wide enough.

    Attributes:
        pictures: the pictures.
    """

    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Sound:
    """A sound with a player.

    Attributes:
        content: the bytes of the file.
        caption: what is heard.
        media_type: "audio/wav", "audio/flac"...
    """

    content: bytes
    caption: str
    media_type: str = "audio/wav"


@dataclass(frozen=True)
class Samples:
    """Texts a model produced in the course of training.

    Attributes:
        entries: (training step, texts), in the order of the steps.
    """

    entries: Sequence[tuple[int, Sequence[str]]]


@dataclass(frozen=True)
class ShadedText:
    """A text of parts that are shaded by a number: a heat map to be read.

    Attributes:
        parts: text and number of each, in order; numbers of 0 and below are not shaded.
        most: the number that is shaded darkest, and all above.
        unit: behind the number, which is shown where one points at a part.
        caption: what the shades show.
    """

    parts: Sequence[tuple[str, float]]
    most: float
    unit: str
    caption: str

    def __post_init__(self) -> None:
        if not self.most > 0:
            raise ValueError(f"the darkest shade needs a number above 0, not {self.most}")


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away until asked for.

    Attributes:
        summary: the line that is always shown.
        blocks: what it unfolds.
    """

    summary: str
    blocks: Sequence[Block]


Block = Paragraph | Table | Picture | Gallery | Sound | Samples | ShadedText | Details


@dataclass(frozen=True)
class Section:
    """A part of the report under a heading of its own.

    Attributes:
        title: the heading; unique within a report.
        blocks: its content, top to bottom.
    """

    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
