"""What became of the mutants: a progress bar, each survivor, and a table of files."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

from tests.mutants.mutations import Mutant

__all__ = ["Verdict", "progress", "survivor", "table"]

Item = TypeVar("Item")
SECONDS_BETWEEN_LINES = 30


@dataclass(frozen=True)
class Verdict:
    """A mutant and the test that killed it: a name, "import", "timeout" or "crash"; "" for a survivor."""

    mutant: Mutant
    killed: str

    def row(self) -> dict[str, Any]:
        """What a JSON file holds of it."""
        mutant = self.mutant
        return {
            "file": mutant.path,
            "line": mutant.line,
            "before": mutant.before,
            "after": mutant.after,
            "killed": self.killed,
        }


def progress(what: str, items: Iterable[Item], count: int) -> Iterator[Item]:
    """The same items, with a bar on a terminal and a line now and then elsewhere."""
    if sys.stderr.isatty():
        yield from track(items, description=what, total=count, console=Console(stderr=True))
        return
    told = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - told > SECONDS_BETWEEN_LINES or number == count:
            told = time.monotonic()
            print(f"{what}: {number} of {count}", file=sys.stderr, flush=True)


def survivor(mutant: Mutant) -> str:
    """A mutant as a difference."""
    return f"{mutant.path}:{mutant.line}\n  - {mutant.before}\n  + {mutant.after}"


def table(verdicts: Sequence[Verdict], equivalent: int) -> str:
    """A line for each file, and one for all."""
    killed = Counter(verdict.mutant.path for verdict in verdicts if verdict.killed)
    total = Counter(verdict.mutant.path for verdict in verdicts)
    lines = ["", f"{'file':64} {'mutants':>8} {'killed':>8} {'survived':>9} {'killed':>8}"]
    lines += [_line(path, killed[path], count) for path, count in sorted(total.items())]
    lines += [_line("all", killed.total(), total.total()), f"left out as equivalent (equivalent.yaml): {equivalent}"]
    return "\n".join(lines)


def _line(name: str, killed: int, total: int) -> str:
    return f"{name:64} {total:8} {killed:8} {total - killed:9} {killed / max(total, 1):8.1%}"
