"""`rnnapps runs`: trained models side by side."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.cli.commands import Commands, add_command
from rnnapps.errors import CheckpointError
from rnnapps.printable import printable

if TYPE_CHECKING:
    from rnnapps.verbs.run_records import RunRecord

__all__ = ["add_runs", "runs_command"]


def add_runs(commands: Commands) -> None:
    """The command `runs` and its flags."""
    parser = add_command(
        commands,
        "runs",
        "rnnapps runs",
        "rnnapps runs runs/PIPELINE --html comparison.html",
        "rnnapps runs runs/PIPELINE/first runs/PIPELINE/second --json",
        summary="list runs with their scores, and compare their settings and curves",
        description="List runs with their scores, the best baseline and the settings in which they differ.",
    )
    parser.add_argument(
        "folders", nargs="*", default=["runs"], metavar="DIR", help="runs, or folders of runs; by default runs"
    )
    parser.add_argument("--html", metavar="FILE", help="write a page with the curves of all these runs, too")
    parser.add_argument("--json", action="store_true", help="print JSON")


def runs_command(arguments: argparse.Namespace) -> int:
    """Lists runs; one that cannot be read is named, and the others are listed.

    Returns:
        The exit code: 2 if a run cannot be read.

    Raises:
        CheckpointError: a folder does not exist or holds no run.
        ConfigError: the page cannot be written.
    """
    from rnnapps.verbs.run_records import find_runs, read_record

    records, failed = [], False
    for path in find_runs([Path(folder) for folder in arguments.folders]):
        try:
            records.append(read_record(path))
        except CheckpointError as error:
            print(f"error: {printable(str(error))}", file=sys.stderr)
            failed = True
    if arguments.json:
        from rnnapps.cli.result import print_json

        print_json([record.as_dict() for record in records])
    else:
        _show(records)
    if arguments.html:
        _write_page(arguments.html, records)
    return 2 if failed else 0


def _show(records: Sequence[RunRecord]) -> None:
    """For each pipeline a table of its runs, and one of the settings in which they differ."""
    from rnnapps.cli.result import output, show_table
    from rnnapps.verbs.run_records import by_pipeline, differing_settings, names_of

    console = output()
    for pipeline, runs in by_pipeline(records).items():
        show_table(console, (pipeline, *COLUMNS), [_row(record) for record in runs])
        different = differing_settings(runs)
        if different:
            show_table(console, ("setting", *names_of(runs)), different)


COLUMNS = ("steps", "seconds", "metric", "value", "best baseline", "its value", "outcome", "written")


def _row(record: RunRecord) -> tuple[str | float | None, ...]:
    """A line of the table: what a person compares."""
    metric, value, split = record.score
    of = f"{record.step:,} of {record.steps:,}" if record.step != record.steps else f"{record.steps:,}"
    return (
        str(record.path),
        f"{of}, training" if record.training else of,
        None if record.seconds is None else round(record.seconds),
        f"{metric.replace('_', ' ')}, {split}" if metric else None,
        value,
        *record.baseline,
        f"{record.written:%Y-%m-%d %H:%M}",
    )


def _write_page(path: str, records: Sequence[RunRecord]) -> None:
    """Writes the page of comparison."""
    from rnnapps.cli.result import write_page
    from rnnapps.verbs.run_comparison import comparison_page

    write_page(path, comparison_page(records))
    print(f"page: {printable(path)}", file=sys.stderr)
