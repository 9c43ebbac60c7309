"""Series in files of NumPy's arrays, which hold their own split: `.npz`, and the folders of telemanom."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnapps.data.archives import unpacked_source
from rnnapps.data.compressed import plain_stem, plain_suffix
from rnnapps.data.sources import list_files
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["ArrayFile", "array_files"]

MAXIMUM_BYTES = 1 << 32
ONLY = "array"
"""What the array of a `.npy` file is called."""
SPLITS = ("train", "test")


@dataclass(frozen=True)
class ArrayFile:
    """One series.

    Attributes:
        name: of the series.
        path: its `.npz` file; or the `.npy` file of its training rows, beside which the test rows have one.
        test: the `.npy` file of its test rows; None where there is none.
    """

    name: str
    path: Path
    test: Path | None = None

    def read(self) -> dict[str, Array]:
        """The arrays `train` and, where there is one, `test`, float64 `(rows, channels)`.

        Raises:
            DataError: a file holds anything else.
        """
        if plain_suffix(self.path) == ".npz":
            arrays = _load(self.path)
            if "train" not in arrays:
                raise DataError(self.path, "has no array `train`", "store rows (rows, channels) under that name")
            return {name: _numbers(self.path, name, array) for name, array in arrays.items()}
        parts = {"train": self.path, "test": self.test}
        return {name: _numbers(path, name, _load(path).get(ONLY)) for name, path in parts.items() if path is not None}


def array_files(folder: Path) -> list[ArrayFile]:
    """The series of a folder: its `.npz` files, or else the `.npy` files of its folders `train` and `test`."""
    archives = [ArrayFile(plain_stem(path), path) for path in list_files(folder, (".npz",))]
    if archives:
        return archives
    train, test = ({plain_stem(path): path for path in _plain_arrays(folder / name)} for name in SPLITS)
    return [ArrayFile(name, path, test.get(name)) for name, path in train.items()]


def _plain_arrays(folder: Path) -> list[Path]:
    """The `.npy` files of a folder, if there is one."""
    return list_files(folder, (".npy",)) if folder.is_dir() else []


def _load(path: Path) -> dict[str, Array]:
    """The arrays of a file by their names, that of a `.npy` file as `ONLY`."""
    try:
        plain = unpacked_source(path)
        if plain.stat().st_size > MAXIMUM_BYTES:
            raise DataError(path, f"has more than {MAXIMUM_BYTES:,} bytes", "split it")
        with plain.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {ONLY: content}
            with content as archive:
                return {name: archive[name] for name in archive.files if name in SPLITS}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        problem = f"is no {plain_suffix(path)} file of plain arrays ({reason})"
        raise DataError(path, problem, "write it with numpy.savez") from None


def _numbers(path: Path, name: str, array: Array | None) -> Array:
    """The array as float64 `(rows, channels)`; raises DataError for what is none."""
    if array is None or array.ndim != 2 or array.dtype.kind not in "fiub" or not array.size:
        shown = "missing" if array is None else f"{array.dtype} {array.shape}"
        raise DataError(path, f"array {name} is {shown}; expected numbers (rows, channels)", "store it so")
    return array.astype(np.float64)
