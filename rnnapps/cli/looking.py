"""The verb `data` as a command: what is understood of data, as text, JSON or a page."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli.arguments import Arguments
from rnnapps.cli.result import Result, show_table
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.sections import Paragraph, Table
from rnnapps.errors import ConfigError
from rnnapps.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["data"]


def data(pipeline: Pipeline[Any, Any, Any], arguments: Arguments) -> Result:
    """What is understood of the data; also as a page, and with real training steps timed."""
    from rnnapps.verbs.loading import load_tensorflow
    from rnnapps.verbs.look import look_at_data, measured_costs

    report = look_at_data(pipeline, arguments.config)
    if arguments.options["measure"]:
        load_tensorflow()
        costs = {**report.costs, **measured_costs(pipeline, arguments.config)}
        report = dataclasses.replace(report, costs=costs)
    page = arguments.options["html"]
    if page:
        _write_page(report, pipeline.name.replace("_", " "), Path(page))
    found = {**report.as_dict(), **({"html": page} if page else {})}
    return Result(found, lambda console: _show(console, report, page))


def _write_page(report: DataReport, name: str, path: Path) -> None:
    """Writes the report as an HTML page."""
    from rnnapps.atomic import write_atomically
    from rnnapps.reports.data_report import data_page

    content = data_page(report, name).encode("utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}; choose another --html") from error


def _show(console: Console, report: DataReport, page: str | None) -> None:
    """The report for a person, cautions and suggestions last."""
    from rnnapps.reports.data_report import data_sections

    print(printable(report.source), file=console.file)
    for section in data_sections(report, pictures=False):
        print(f"\n== {section.title}", file=console.file)
        for block in section.blocks:
            if isinstance(block, Table):
                show_table(console, block.columns, block.rows, caption=block.caption or None)
            elif isinstance(block, Paragraph):
                mark = "! " if block.verdict else "- "
                print(mark + printable(block.text), file=console.file)
    if page:
        print(f"page: {page}", file=console.file)
