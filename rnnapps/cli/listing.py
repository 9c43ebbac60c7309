"""`rnnapps list`: the recurrent cells, and the installed pipelines with their configurations."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

from rnnapps.cli.result import output
from rnnapps.errors import ConfigError
from rnnapps.printable import printable

__all__ = ["cell_summaries", "configuration_summaries", "pipeline_summaries", "print_listing"]

UNITS = 64
"""Units and input features of the cells whose costs are listed."""


def print_listing() -> None:
    """Prints all tables."""
    _print_cells()
    _print_table("pipeline", pipeline_summaries())
    _print_table("configuration (--config)", configuration_summaries())


def cell_summaries() -> dict[str, str]:
    """Cell name -> first line of its documentation."""
    from rnnapps.verbs.loading import load_tensorflow

    load_tensorflow()
    from rnnapps.cells import CELLS

    return {name: _first_line(cell) for name, cell in CELLS.items()}


def _print_cells() -> None:
    """The table of cells, in groups, with what each costs."""
    from rich.table import Table
    from rich.text import Text

    summaries = cell_summaries()
    from rnnapps.cells import CELL_GROUPS, LinearCell, MatrixLinearCell, make_cell
    from rnnapps.training.cost import cell_cost

    caption = f"Costs at {UNITS} units and as many inputs; operations a step. * steps can be computed in parallel"
    table = Table(box=None, padding=(0, 2, 0, 0), caption=caption)
    for title in ("cell", "state", "parameters", "operations"):
        table.add_column(title, no_wrap=True, justify="left" if title == "cell" else "right")
    table.add_column("summary")
    for group, names in CELL_GROUPS.items():
        table.add_row(Text(group, style="italic"))
        for name in names:
            cell = make_cell(name, UNITS)
            cost, star = cell_cost(cell, UNITS), " *" if isinstance(cell, LinearCell | MatrixLinearCell) else ""
            figures = (f"{number:,}" for number in (cost.state, cost.parameters, cost.operations))
            table.add_row(Text(f"  {name}{star}"), *figures, Text(printable(summaries[name])))
    console = output()
    console.print(table)
    console.print()


def pipeline_summaries() -> dict[str, str]:
    """Pipeline name -> its summary; a pipeline that cannot be loaded says why."""
    from rnnapps.verbs.pipelines import find_pipeline, pipeline_entries

    summaries = {}
    for name in pipeline_entries():
        try:
            summaries[name] = find_pipeline(name).summary
        except ConfigError as error:
            summaries[name] = str(error)
    return summaries


def configuration_summaries() -> dict[str, str]:
    """`PIPELINE NAME` -> first sentence of the configuration's header."""
    from rnnapps.verbs.pipelines import configurations, find_pipeline, pipeline_entries

    summaries = {}
    for name in pipeline_entries():
        try:
            files = configurations(find_pipeline(name))
        except ConfigError:
            continue  # the table of pipelines tells why it cannot be loaded
        for configuration, path in files.items():
            summaries[f"{name} {configuration}"] = _first_sentence(path.read_text(encoding="utf-8"))
    return summaries


def _print_table(title: str, rows: Mapping[str, str]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(title, no_wrap=True)
    table.add_column("summary")
    for name, summary in rows.items():
        table.add_row(Text(printable(name)), Text(printable(summary)))
    console = output()
    console.print(table)
    console.print()


def _first_sentence(text: str) -> str:
    """The first sentence of the comment that a file begins with."""
    comment = itertools.takewhile(lambda line: line.startswith("# "), text.splitlines())
    return re.split(r"(?<=\.)\s", " ".join(line[2:].strip() for line in comment))[0].rstrip(".")


def _first_line(cell: Callable[..., Any]) -> str:
    return (inspect.getdoc(cell) or "").partition("\n")[0]
