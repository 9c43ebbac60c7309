"""What a person sees while training: a live bar on a terminal, plain lines elsewhere. Everything goes to stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["BarDisplay", "Display", "LineDisplay", "describe", "make_display"]


def describe(row: Mapping[str, Any], steps: int, best: bool) -> str:
    """Returns one evaluation as a line of text.

    Args:
        row: as in metrics.jsonl.
        steps: updates of the whole run.
        best: whether this is the best validation metric so far.
    """
    figures = [
        f"{name} {value:.4g}"
        for name, value in row.items()
        if name not in ("step", "elapsed_seconds") and isinstance(value, int | float)
    ]
    return f"step {row['step']}/{steps}  {row['elapsed_seconds']:.1f} s  {'  '.join(figures)}" + ("  best" * best)


class Display:
    """Shows nothing; the base of the two that do."""

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, step: int, steps: int) -> None:
        """Is told where training starts and where it will end."""

    def update(self, step: int, loss: float) -> None:
        """Is told the live mean loss of the interval, several times a second."""

    def note(self, line: str) -> None:
        """Shows one line that matters: resumed, fell back, an evaluation's figures."""

    def close(self) -> None:
        """Gives the terminal back."""


class LineDisplay(Display):
    """Notes as plain lines, and nothing in between.

    Args:
        stream: where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def note(self, line: str) -> None:
        """Writes the line at once."""
        print(line, file=self.stream, flush=True)


class BarDisplay(Display):
    """A bar with step, live loss and remaining time; notes scroll above it.

    Args:
        stream: a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream)
        self.bar = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TimeRemainingColumn(),
            console=self.console,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.task = self.bar.add_task("training", total=None, loss="-")

    def start(self, step: int, steps: int) -> None:
        """Draws the bar."""
        self.bar.update(self.task, completed=step, total=steps)
        self.bar.start()

    def update(self, step: int, loss: float) -> None:
        """Moves the bar."""
        self.bar.update(self.task, completed=step, loss=f"{loss:.4f}")

    def note(self, line: str) -> None:
        """Prints the line above the bar."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Stops the bar."""
        self.bar.stop()


def make_display(shown: bool, stream: TextIO | None = None) -> Display:
    """Returns a bar if the stream (default: stderr) is a terminal, plain lines if not, nothing if not shown."""
    stream = stream or sys.stderr
    if not shown:
        return Display()
    return BarDisplay(stream) if stream.isatty() else LineDisplay(stream)
