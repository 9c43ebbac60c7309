"""What became of the rows of a stream, for people."""

from __future__ import annotations

import sys

__all__ = ["RowCounts"]

KINDS = {
    "bad": "could not be read (--bad_rows)",
    "late": "came late (--late_rows)",
    "repeated": "repeat a time (--late_rows)",
    "missing": "are missing (--missing_rows)",
    "forgotten": "series gave way to newer ones (--most_series)",
}
"""What is counted, and what to say of it."""


class RowCounts:
    """Counts rows.

    Args:
        source: what they come from.
    """

    def __init__(self, source: str) -> None:
        self.source, self.rows = source, 0
        self.counts = dict.fromkeys(KINDS, 0)

    def note(self, kind: str, problem: str, *, count: int = 1) -> None:
        """Counts something of a kind in `KINDS`; the first of each is told at once, on standard error."""
        if not self.counts[kind]:
            print(f"{problem}; others of its kind are counted", file=sys.stderr)
        self.counts[kind] += count

    def tell(self) -> None:
        """Tells on standard error what was counted, if there is anything to tell."""
        told = [f"{count:,} {KINDS[kind]}" for kind, count in self.counts.items() if count]
        if told:
            print(f"{self.source}: of {self.rows:,} rows, {', '.join(told)}", file=sys.stderr)
