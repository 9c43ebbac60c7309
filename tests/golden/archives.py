"""The archives of exports of earlier versions."""

from __future__ import annotations

import tarfile
from pathlib import Path

from rnnapps.export.graph import operations_of, read_saved_model
from tests.golden.make import FOLDER

__all__ = ["earlier_operations", "unpack"]


def unpack(name: str, folder: Path) -> Path:
    """Unpacks the export of a pipeline into a folder, which it returns."""
    with tarfile.open(FOLDER / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def earlier_operations(folder: Path) -> set[str]:
    """The operations of all of them, unpacked below a folder; `verify` goes on allowing them."""
    names = [path.name.removesuffix(".tar.xz") for path in sorted(FOLDER.glob("*.tar.xz"))]
    return set[str]().union(*(operations_of(read_saved_model(unpack(name, folder / name))) for name in names))
