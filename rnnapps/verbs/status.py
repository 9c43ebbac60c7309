"""A line on a terminal that says what is being done, while nothing else does."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rnnapps.printable import printable, terminal

__all__ = ["status"]


@contextlib.contextmanager
def status(first: str) -> Iterator[Callable[[str], None]]:
    """Shows a moving line on standard error until the work is done; nothing where that is not a terminal.

    Args:
        first: what is being done first.

    Yields:
        A function that replaces the line by what is being done next.
    """
    if not sys.stderr.isatty():
        yield lambda line: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(file=terminal(sys.stderr)).status(Text(printable(first))) as shown:
        yield lambda line: shown.update(Text(printable(line)))
