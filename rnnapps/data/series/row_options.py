"""What a stream does with rows that are not as they should be. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnapps.config import require, require_choice

__all__ = ["ROW_OPTIONS", "RowOptions"]

BadRows = Literal["skip", "stop"]
LateRows = Literal["skip", "stop", "keep"]
MissingRows = Literal["fill", "stop", "ignore"]


@dataclass(frozen=True)
class RowOptions:
    """How rows of a stream are taken that cannot be read, come late or twice, or do not come at all.

    Attributes:
        bad_rows: a row that cannot be read (stream): skip it, or stop.
        late_rows: a row whose time is not behind that of the row before it in its series (stream): skip it, stop, or
            keep it as the next one.
        missing_rows: where a row comes later than the next one should (stream): fill with missing rows what lies
            between, stop, or ignore it.
        most_series: series or entities whose state is kept (stream); of more, that one goes which had no row longest.
    """

    bad_rows: BadRows = "skip"
    late_rows: LateRows = "skip"
    missing_rows: MissingRows = "fill"
    most_series: int = 10_000

    def __post_init__(self) -> None:
        """Checks the values."""
        for name, kind in (("bad_rows", BadRows), ("late_rows", LateRows), ("missing_rows", MissingRows)):
            require_choice(name, getattr(self, name), kind)
        require("most_series", self.most_series, "at least 1", self.most_series >= 1)


ROW_OPTIONS = frozenset(RowOptions.__dataclass_fields__)
"""Their names."""
