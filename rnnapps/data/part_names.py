"""What people call the training, validation and test parts of their data: folders, files, cells and subsets."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar

from rnnapps.data.compressed import plain_stem
from rnnapps.data.sources import list_files
from rnnapps.errors import DataError

__all__ = ["PARTS", "part_folders", "part_named", "parts_of", "subset_part"]

PARTS = ("train", "validation", "test")
_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
_FIRST_WORD = re.compile(r"[a-z]+")
_OUTSIDE = 3
"""Names of files outside all parts that are told."""

NameT = TypeVar("NameT")


def part_named(name: str) -> str | None:
    """The part of this name, in any case: `Train`, `VAL`, `dev`...; None for other names."""
    return _NAMES.get(name.strip().lower())


def subset_part(name: str) -> str | None:
    """The part whose name a subset begins with, such as `train-clean-100` and `dev_other`; None for other names."""
    match = _FIRST_WORD.match(name.strip().lower())
    return _NAMES.get(match.group()) if match else None


def parts_of(names: Iterable[NameT], source: str | Path, *, subsets: bool = False) -> dict[str, list[NameT]]:
    """The names of each part that a source has, in their order.

    Args:
        names: of splits, files or folders; those of paths without their ending.
        source: what to call it in errors.
        subsets: whether several may belong to one part, by the word they begin with.

    Raises:
        DataError: two names mean the same part, and `subsets` is false.
    """
    parts: dict[str, list[NameT]] = {}
    for name in names:
        text = plain_stem(name) if isinstance(name, Path) else str(name)
        part = subset_part(text) if subsets else part_named(text)
        if part is not None:
            parts.setdefault(part, []).append(name)
    for part, found in parts.items():
        if len(found) > 1 and not subsets:
            listed = " and ".join(str(name.name if isinstance(name, Path) else name) for name in found)
            raise DataError(source, f"has {listed}, which all mean the {part} part", "keep or rename one")
    return {part: parts[part] for part in PARTS if part in parts}


def part_folders(root: Path, suffixes: Collection[str]) -> dict[str, Path]:
    """The folders directly below another that are its parts, where one is for training; else none.

    A lone `train` beside other folders with files is no part: it may well be a class, as of vehicles. Files outside the
    parts are told, since they are not read.

    Args:
        root: an existing folder.
        suffixes: of files that would be read.

    Raises:
        DataError: two folders mean the same part.
    """
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    named = {folder.name: folder for folder in folders}
    found = {part: named[names[0]] for part, names in parts_of(named, root).items()}
    if "train" not in found:
        return {}
    outside = [path for path in list_files(root, suffixes) if not any(path.is_relative_to(f) for f in found.values())]
    if outside and len(found) == 1:
        return {}
    if outside:
        listed = ", ".join(str(path.relative_to(root)) for path in outside[:_OUTSIDE])
        more = f" and {len(outside) - _OUTSIDE:,} more" if len(outside) > _OUTSIDE else ""
        print(f"note: {root}: not read, outside {' '.join(found)}: {listed}{more}", file=sys.stderr)
    return found
