"""Columns of a table that mark its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnapps.data.series.table_frame import Table

__all__ = ["marking_column"]

NAMES = (
    "label",
    "labels",
    "anomaly",
    "is_anomaly",
    "anomalous",
    "fault",
    "failure",
    "outlier",
    "attack",
    "fraud",
    "class",
)
"""What such a column is called."""


def marking_column(table: Table) -> str:
    """The column that marks rows: by its name, and as it holds 0 and 1 alone; empty for none."""
    for name in table.roles.channels:
        if name.strip().lower() in NAMES and set(table.frame[name].dropna().unique()) == {0.0, 1.0}:
            return name
    return table.roles.label
