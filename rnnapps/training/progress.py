"""What a person sees while training: a live bar on a terminal, plain lines elsewhere. Everything goes to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rnnapps.printable import printable, terminal

__all__ = ["BarDisplay", "Display", "LineDisplay", "describe", "make_display"]

SECONDS_BETWEEN_LINES = 60.0


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
    """Notes as plain lines; where none comes, a line a minute that says how far training is.

    Args:
        stream: where to write.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream, self.clock = stream, clock
        self.steps, self.began, self.told = 0, (0, clock()), clock()

    def start(self, step: int, steps: int) -> None:
        """Notes where training starts."""
        self.steps, self.began, self.told = steps, (step, self.clock()), self.clock()

    def update(self, step: int, loss: float) -> None:
        """Writes a line when the last one is a minute old."""
        first, began = self.began
        if self.clock() - self.told < SECONDS_BETWEEN_LINES or step <= first:
            return
        rate = (step - first) / max(self.clock() - began, 1e-9)
        left = (self.steps - step) / rate / 60
        self.note(f"step {step}/{self.steps}  loss {loss:.4g}  {rate:.3g} steps/s  {left:,.0f} min left")

    def note(self, line: str) -> None:
        """Writes the line at once."""
        self.told = self.clock()
        print(line, file=self.stream, flush=True)


class BarDisplay(Display):
    """A bar with step, live loss and remaining time; notes scroll above it.

    Args:
        stream: a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=terminal(stream))
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
        self.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Stops the bar."""
        self.bar.stop()


def make_display(shown: bool, stream: TextIO | None = None) -> Display:
    """Returns a bar if the stream (default: stderr) is a terminal, plain lines if not, nothing if not shown."""
    stream = stream or sys.stderr
    if not shown:
        return Display()
    return BarDisplay(stream) if stream.isatty() else LineDisplay(stream)
