"""What a verb has to say, as one JSON object or for a person."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from rnnapps.contract.sections import Paragraph, Section, Table
from rnnapps.errors import ConfigError
from rnnapps.printable import printable, terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from rnnapps.contract.evaluation import Evaluation

__all__ = [
    "Result",
    "output",
    "plain",
    "print_json",
    "printed",
    "show_evaluation",
    "show_facts",
    "show_sections",
    "show_table",
    "show_verdict",
    "write_page",
]

WIDE = 500
"""Columns of characters that a table may take where it goes into a file or a pipe."""

WIDEST = 100_000
"""Columns of characters that no table needs."""


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of a verb.

    Attributes:
        data: what `--json` prints.
        show: prints the same for a person.
    """

    data: Mapping[str, Any]
    show: Callable[[Console], None]


def output() -> Console:
    """Standard output for tables: where nobody looks at it, they are as wide as they need to be, and no cell is cut."""
    from rich.console import Console

    return Console(file=terminal(sys.stdout), width=None if sys.stdout.isatty() else WIDE)


def write_page(path: str, content: str) -> None:
    """Writes what `--html` asks for, whole or not at all; raises ConfigError where it cannot be written."""
    from rnnapps.atomic import write_atomically

    try:
        write_atomically(Path(path), content.encode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}; give another --html FILE") from error


def print_json(data: Any, stream: IO[str] | None = None) -> None:
    """Prints one line of JSON, to standard output by default; figures that are not finite become null.

    Where the stream cannot show every character, those beyond ASCII become JSON's own escapes.
    """
    target = stream or sys.stdout
    unicode = (getattr(target, "encoding", None) or "utf-8").lower().startswith("utf")
    print(json.dumps(plain(data), ensure_ascii=not unicode, allow_nan=False), file=target)


def printed(result: Any) -> Any:
    """What the command line prints of a result of `predict` or `stream`: a text as it is, or JSON values."""
    return plain(result.printed() if hasattr(result, "printed") else result)


def plain(value: Any) -> Any:
    """Turns arrays, paths and dataclasses into what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(vars(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def show_evaluation(console: Console, evaluation: Evaluation) -> None:
    """The model, its parts and its baselines in one table."""
    rows = evaluation.rows("model")
    show_table(
        console,
        ("", *(name.replace("_", " ") for name in evaluation.metrics)),
        [(name, *(values.get(metric) for metric in evaluation.metrics)) for name, values in rows],
        caption=f"{evaluation.examples:,} scored examples of the {evaluation.split} split",
    )
    if evaluation.diagnostics:
        show_facts(console, evaluation.diagnostics)
    show_verdict(console, evaluation)


def show_verdict(console: Console, evaluation: Evaluation) -> None:
    """What the reader must know, and whether the model beats its best baseline: never wrapped, always last."""
    if evaluation.note:
        print(printable(evaluation.note), file=console.file)
    if evaluation.verdict:
        print(printable(evaluation.verdict.sentence), file=console.file)


def show_facts(console: Console, facts: Mapping[str, Any]) -> None:
    """Names and values, a line each, never wrapped: paths are there to be copied."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        print(f"{printable(name).replace('_', ' '):<{width}}  {printable(_cell(value))}", file=console.file)
    print(file=console.file)


def show_sections(console: Console, sections: Sequence[Section]) -> None:
    """Sections of a report without their pictures: tables, and paragraphs of which the findings are set off."""
    for section in sections:
        print(f"\n== {section.title}", file=console.file)
        for block in section.blocks:
            if isinstance(block, Table):
                show_table(console, block.columns, block.rows, caption=block.caption or None)
            elif isinstance(block, Paragraph):
                mark = "! " if block.verdict else "- "
                print(mark + printable(block.text), file=console.file)


def show_table(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, caption: str | None = None
) -> None:
    """A table; the first column names the row. One that is too wide is turned, so that columns become rows."""
    from rich.text import Text

    table = _table(columns, rows)
    unbounded = console.options.update(width=WIDEST)
    if console.measure(table, options=unbounded).maximum > console.width and len(rows) < len(columns):
        names, *turned = zip(columns, *rows, strict=True)
        table = _table([str(name) for name in names], turned)
    console.print(table)
    if caption:
        console.print(Text(printable(caption), style="dim"), soft_wrap=True)
    console.print()


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> RichTable:
    """The table as rich draws it; words that are wider than their column are folded, never cut."""
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=None, padding=(0, 2, 0, 0), show_header=any(columns))
    for index, column in enumerate(columns):
        justify: Literal["left", "right"] = "left" if index == 0 or not _numeric(rows, index) else "right"
        table.add_column(Text(printable(column)), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(_cell(value))) for value in row))
    return table


def _numeric(rows: Sequence[Sequence[Any]], index: int) -> bool:
    return all(isinstance(row[index], int | float) or row[index] is None for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
