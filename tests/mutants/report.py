"""What became of the mutants: a progress bar, a table of files, and each survivor."""

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

__all__ = ["Verdict", "progress", "table"]

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


def table(verdicts: Sequence[Verdict], equivalent: int) -> str:
    """Survivors as differences, then a line for each file."""
    lines = []
    for verdict in sorted((v for v in verdicts if not v.killed), key=lambda v: (v.mutant.path, v.mutant.line)):
        mutant = verdict.mutant
        lines += [f"{mutant.path}:{mutant.line}", f"  - {mutant.before}", f"  + {mutant.after}"]
    killed = Counter(verdict.mutant.path for verdict in verdicts if verdict.killed)
    total = Counter(verdict.mutant.path for verdict in verdicts)
    lines += ["", f"{'file':48} {'mutants':>8} {'killed':>8} {'survived':>9} {'killed':>8}"]
    lines += [_line(path, killed[path], count) for path, count in sorted(total.items())]
    lines += [_line("all", killed.total(), total.total()), f"left out as equivalent (equivalent.yaml): {equivalent}"]
    return "\n".join(lines)


def _line(name: str, killed: int, total: int) -> str:
    return f"{name:48} {total:8} {killed:8} {total - killed:9} {killed / max(total, 1):8.1%}"
