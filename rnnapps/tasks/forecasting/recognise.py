"""Whether data look like series that can be forecast."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.look.heads import first_table, head_of
from rnnapps.data.look.marks import marking_column
from rnnapps.data.series.config import SeriesDataConfig

__all__ = ["recognise"]


def recognise(source: str) -> Recognised | None:
    """A table of numbers, row by row; with a column that marks rows it is more likely something to watch."""
    table = first_table(head_of(source), SeriesDataConfig(source=source))
    if table is None:
        return None
    over = f"over the column {table.roles.time!r}" if table.roles.time else "row by row"
    width = len(table.roles.channels)
    told = f"a table of {width} {'number' if width == 1 else 'numbers'} {over}"
    return Recognised(told, plain=not marking_column(table))
