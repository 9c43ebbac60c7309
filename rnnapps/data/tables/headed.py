"""Text files that begin with lines of @names: the archives of Monash (`.tsf`), and of UCR and UEA (`.ts`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rnnapps.data.number_cells import read_number
from rnnapps.data.tables.reader import read_text
from rnnapps.errors import DataError

__all__ = ["HeadedFile", "names_of_head", "number_of", "read_headed"]

MISSING = "?"


@dataclass(frozen=True)
class HeadedFile:
    """A file.

    Attributes:
        head: (name in lower case, what stands behind it) of each line of the head.
        rows: (line number, text) of each line behind `@data`.
    """

    head: tuple[tuple[str, str], ...]
    rows: tuple[tuple[int, str], ...]

    def value(self, name: str) -> str:
        """What stands behind a name; "" where it does not occur."""
        return next((value for own, value in self.head if own == name), "")


def names_of_head(head: bytes) -> set[str]:
    """The names, without their @ and in lower case, that the first lines begin with; none of what begins otherwise."""
    found: set[str] = set()
    for line in head.decode("utf-8", "replace").removeprefix("\ufeff").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith("@"):
            return found
        found.add(line.split()[0][1:].lower())
    return found


def read_headed(path: Path) -> HeadedFile:
    """Reads a file.

    Raises:
        DataError: it has no line `@data`, or nothing behind it.
    """
    head: list[tuple[str, str]] = []
    lines = enumerate(read_text(path, fallback="cp1252").split("\n"), start=1)
    for number, line in lines:
        name, _, value = line.strip().partition(" ")
        if name.lower() == "@data":
            break
        if name and not name.startswith(("@", "#")):
            problem = f"line {number}: expected a line of the head, found {line.strip()[:60]!r}"
            raise DataError(path, problem, "write @data before the rows")
        head += [(name[1:].lower(), value.strip())] if name.startswith("@") else []
    rows = [(number, line.strip()) for number, line in lines if line.strip() and not line.startswith("#")]
    if not rows:
        raise DataError(path, "has no line @data with rows behind it", "give a whole file")
    return HeadedFile(tuple(head), tuple(rows))


def number_of(path: Path, line: int, text: str) -> float:
    """The number of a cell, NaN for a missing one; raises DataError for what is none."""
    number = float("nan") if text.strip() == MISSING else read_number(text, ".")
    if number is None:
        problem = f"line {line}: {text.strip()[:60]!r} is no number"
        raise DataError(path, problem, "correct it, or write ? if it is missing")
    return number
