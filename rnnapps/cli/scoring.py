"""`rnnapps score EXPORT INPUT... --to DIR`."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.cli.commands import Commands, add_command
from rnnapps.errors import ConfigError

if TYPE_CHECKING:
    from rnnapps.scoring.options import Progress, Scored, ScoreOptions

__all__ = ["add_score", "score_command"]

SECONDS_BETWEEN_LINES = 60.0


def add_score(commands: Commands) -> None:
    """The command `score` and its flags."""
    parser = add_command(
        commands,
        "score",
        "rnnapps score saved_models/NAME rows.jsonl --to answers",
        "rnnapps score saved_models/NAME table.csv --to answers --columns sentence=text --key id --format parquet",
        "rnnapps score zoo:NAME recordings/ --to transcripts --outputs transcript confidence",
        summary="answer many rows of files by an exported model",
        description="Ask an exported model for every row of some files: JSON lines, CSV, Parquet, TFRecord, tar "
        "archives, lines of text, or any other file as one row; or of a query to a database. Answers are written in "
        "parts; the same command again goes on where it was ended.",
    )
    parser.add_argument("export", metavar="EXPORT", help="an export, the folder of its versions, or zoo:NAME")
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="files, folders of files, or a database")
    parser.add_argument("--to", required=True, metavar="DIR", help="folder of the answers")
    parser.add_argument("--signature", default="serving_default", metavar="NAME", help="what of the model is asked")
    parser.add_argument(
        "--columns", nargs="+", default=[], metavar="INPUT=COLUMN", help="which input is which column of the rows"
    )
    parser.add_argument("--key", nargs="+", default=[], metavar="COLUMN", help="columns written beside the answers")
    parser.add_argument("--outputs", nargs="+", default=[], metavar="NAME", help="which outputs are written")
    parser.add_argument("--format", default="jsonl", metavar="KIND", help="of the answers: jsonl or parquet")
    parser.add_argument("--part_rows", type=int, default=10_000, metavar="N", help="rows of one file of answers")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes of the model")
    parser.add_argument(
        "--root", metavar="DIR", help="what paths in the rows are relative to; by default the folder of their file"
    )
    parser.add_argument("--query", default="", metavar="SQL", help="the rows of a database: SELECT ... ORDER BY ...")
    parser.add_argument("--engine", default="local", metavar="NAME", help="what runs the parts: local, ray or beam")
    parser.add_argument(
        "--engine_options",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="what the engine is told, by its own names",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def score_command(arguments: argparse.Namespace) -> int:
    """Scores files; returns the exit code.

    Raises:
        ConfigError: a flag is wrong, or the extra is not installed.
        DataError: an input cannot be read.
        ExportError: the model cannot be loaded.
    """
    # What serves loads sockets and more: not for the help of other commands.
    from rnnapps.cli.serving import without_tensorflow
    from rnnapps.zoo import resolved

    without_tensorflow()
    try:
        from rnnapps.scoring.score import score
    except ModuleNotFoundError as error:
        raise ConfigError(f"rnnapps score: {error.name} is not installed; pip install 'rnnapps[serve]'") from error
    options = _options(arguments)
    with _shown() as progress:
        scored = score(resolved(arguments.export), arguments.inputs, Path(arguments.to), options, progress=progress)
    _tell(scored, arguments)
    return 0


def _options(arguments: argparse.Namespace) -> ScoreOptions:
    from rnnapps.scoring.options import ScoreOptions

    return ScoreOptions(
        signature=arguments.signature,
        columns=dict(_pairs("--columns", arguments.columns, "INPUT=COLUMN", "sentence=text")),
        key=tuple(arguments.key),
        outputs=tuple(arguments.outputs),
        kind=arguments.format,
        part_rows=arguments.part_rows,
        workers=arguments.workers,
        root=Path(arguments.root) if arguments.root else None,
        query=arguments.query,
        engine=arguments.engine,
        engine_options=dict(_pairs("--engine_options", arguments.engine_options, "NAME=VALUE", "address=auto")),
    )


def _pairs(flag: str, words: Sequence[str], form: str, example: str) -> Iterator[tuple[str, str]]:
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise ConfigError(f"{flag} {word}: {form} expected, such as {example}")
        yield name, value


def _tell(scored: Scored, arguments: argparse.Namespace) -> None:
    """What was done, and where it lies."""
    if arguments.json:
        from rnnapps.cli.result import print_json

        print_json({**dataclasses.asdict(scored), "to": arguments.to})
        return
    rate = f" in {scored.seconds:,.1f} s ({scored.rows / scored.seconds:,.0f} a second)" if scored.seconds else ""
    before = f"; {scored.parts_before:,} parts were there before" if scored.parts_before else ""
    print(f"{scored.rows:,} rows answered{rate}, {scored.problems:,} without an answer{before}: {arguments.to}")


@contextmanager
def _shown() -> Iterator[Progress]:
    """A bar on a terminal, elsewhere a line a minute; on standard error."""
    if sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield _Lines()


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from rnnapps.printable import terminal

    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rows]:,} rows"), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=terminal(sys.stderr))) as bar:
        task = bar.add_task("rows", total=1.0, rows=0)

        def update(rows: int, share: float) -> None:
            bar.update(task, completed=share, rows=bar.tasks[task].fields["rows"] + rows)

        yield update


class _Lines:
    """A line a minute with rate and time left."""

    def __init__(self) -> None:
        self.rows, self.began = 0, time.monotonic()
        self.told = self.began

    def __call__(self, rows: int, share: float) -> None:
        self.rows += rows
        now = time.monotonic()
        if now - self.told < SECONDS_BETWEEN_LINES or not share:
            return
        self.told, seconds = now, now - self.began
        left = seconds / share * (1 - share) / 60
        line = f"{self.rows:,} rows  {share:.0%}  {self.rows / seconds:,.0f} rows/s  {left:,.0f} min left"
        print(line, file=sys.stderr, flush=True)
