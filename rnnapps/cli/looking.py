"""The verb `data` as a command: what is understood of data, as text, JSON or a page."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from rnnapps.cli.arguments import Arguments
from rnnapps.cli.result import Result, show_sections, write_page
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.pipeline import Pipeline
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
        from rnnapps.reports.data_report import data_page

        write_page(page, data_page(report, pipeline.name.replace("_", " ")))
    found = {**report.as_dict(), **({"html": page} if page else {})}
    return Result(found, lambda console: _show(console, report, page))


def _show(console: Console, report: DataReport, page: str | None) -> None:
    """The report for a person, cautions and suggestions last."""
    from rnnapps.reports.data_report import data_sections

    print(printable(report.source), file=console.file)
    show_sections(console, data_sections(report, pictures=False))
    if page:
        print(f"page: {page}", file=console.file)
