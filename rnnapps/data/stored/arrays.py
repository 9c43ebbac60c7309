"""Arrays on disk, written row by row in one pass and read row by row."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["ArrayWriter", "StoredArray"]


class ArrayWriter:
    """Writes an array of unknown length as a `.npy` file.

    Args:
        path: the file.
        dtype: of the values.
        shape: of a row; () for single values.
    """

    def __init__(self, path: Path, dtype: type[np.generic] | np.dtype[np.generic], shape: tuple[int, ...] = ()) -> None:
        self.dtype, self.shape, self.rows = np.dtype(dtype), shape, 0
        self._file = open(path, "wb")  # noqa: SIM115  (closed by `close`)
        self._write_header()

    def append(self, rows: Array) -> None:
        """Adds rows `(rows, ...)`.

        Raises:
            OSError: the disk is full.
        """
        content = np.ascontiguousarray(rows, self.dtype)
        if content.shape[1:] != self.shape:
            raise ValueError(f"rows have the shape {content.shape[1:]}, not {self.shape}")
        self._file.write(content.data.cast("B") if content.size else b"")
        self.rows += len(content)

    def close(self) -> None:
        """Writes how many rows there are."""
        if not self._file.closed:
            self._file.seek(0)
            self._write_header()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _write_header(self) -> None:
        """The header of NumPy's format, which leaves room for any number of rows."""
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.rows, *self.shape)}
        np.lib.format.write_array_header_1_0(self._file, header)


class StoredArray:
    """An array on disk; a slice of it reads those rows only.

    Nothing stays in memory, and the file stays open: what another process removes can still be read to its end.

    Args:
        path: a `.npy` file.

    Raises:
        DataError: it is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                if np.lib.format.read_magic(file) != (1, 0):
                    raise ValueError("another version of the format")
                shape, fortran, self.dtype = np.lib.format.read_array_header_1_0(file)
                self._start, size = file.tell(), os.fstat(file.fileno()).st_size
                self._row_bytes = int(np.prod(shape[1:], dtype=np.int64)) * self.dtype.itemsize
                if fortran or size != self._start + shape[0] * self._row_bytes:
                    raise ValueError("of another size")
                self._file = os.dup(file.fileno())
        except (OSError, ValueError):
            raise self._damaged() from None
        weakref.finalize(self, os.close, self._file)
        self.shape: tuple[int, ...] = shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Array:
        """Consecutive rows; raises DataError where the disk does not give them."""
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError("only consecutive rows are read")
        size, content = max(stop - start, 0) * self._row_bytes, bytearray()
        while len(content) < size:
            place = self._start + start * self._row_bytes + len(content)
            try:
                chunk = os.pread(self._file, size - len(content), place)
            except OSError:
                chunk = b""
            if not chunk:
                raise self._damaged()
            content += chunk
        return np.frombuffer(content, self.dtype).reshape(-1, *self.shape[1:])

    def _damaged(self) -> DataError:
        """What is said of a file that cannot be read."""
        return DataError(self.path, "what was kept here is missing or damaged", "remove its folder and start again")
