"""`rnnapps list`: the recurrent cells and the installed pipelines."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

__all__ = ["PIPELINE_GROUP", "cell_summaries", "pipeline_summaries", "print_listing"]

PIPELINE_GROUP = "rnnapps.pipelines"


def print_listing() -> None:
    """Prints both tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for title, rows in (("cell", cell_summaries()), ("pipeline", pipeline_summaries())):
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column(title, no_wrap=True)
        table.add_column("summary")
        for name, summary in rows.items():
            table.add_row(name, summary)
        console.print(table)
        console.print()


def cell_summaries() -> dict[str, str]:
    """Cell name -> first line of its documentation."""
    from rnnapps.cli.loading import load_tensorflow

    load_tensorflow()
    from rnnapps.cells import CELLS

    return {name: _first_line(cell) for name, cell in CELLS.items()}


def pipeline_summaries() -> dict[str, str]:
    """Pipeline name -> its summary; a pipeline that cannot be loaded says why."""
    summaries = {}
    for entry_point in sorted(entry_points(group=PIPELINE_GROUP), key=lambda entry: entry.name):
        try:
            summaries[entry_point.name] = str(entry_point.load().summary)
        except Exception as error:
            summaries[entry_point.name] = f"cannot be loaded: {type(error).__name__}: {error}"
    return summaries


def _first_line(cell: Callable[..., Any]) -> str:
    return (inspect.getdoc(cell) or "").partition("\n")[0]
