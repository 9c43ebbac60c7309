"""Named arrays in one `.npz` file, strings of any bytes included, without pickle.

NumPy's fixed-width byte strings drop trailing zero bytes, and its object arrays need pickle. A string array is stored
as two arrays instead: all bytes in a row, and the length of each element in the shape of the array.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnnapps.errors import ExportError
from rnnapps.types import Array, ArrayLike, Arrays

__all__ = ["Arrays", "as_array", "load_arrays", "save_arrays"]

_BYTES, _LENGTHS = "|bytes", "|lengths"


def as_array(value: ArrayLike) -> Array:
    """Converts to an array; text of any kind becomes an object array of `bytes`; raises ExportError for others."""
    array = np.asarray(value)
    if array.dtype.kind not in "OUS":
        return array
    elements = [item.encode() if isinstance(item, str) else item for item in array.ravel().tolist()]
    if not all(isinstance(item, bytes) for item in elements):
        raise ExportError("expected an array of numbers or of strings, found other Python objects")
    result = np.empty(len(elements), dtype=object)
    result[:] = elements
    return result.reshape(array.shape)


def save_arrays(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Writes the arrays by name; names may hold any character but `|`."""
    stored: Arrays = {}
    for name, value in arrays.items():
        array = as_array(value)
        if array.dtype != object:
            stored[name] = array
            continue
        stored[name + _BYTES] = np.frombuffer(b"".join(array.ravel().tolist()), dtype=np.uint8)
        lengths = [len(item) for item in array.ravel().tolist()]
        stored[name + _LENGTHS] = np.asarray(lengths, dtype=np.int64).reshape(array.shape)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in stored.items():
            with archive.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


def load_arrays(path: Path, *, maximum_bytes: int = 8 * 1024**3) -> Arrays:
    """Reads what `save_arrays` wrote; strings come back as object arrays of `bytes`.

    Args:
        path: the file.
        maximum_bytes: the most that is unpacked: a small file can hold a thousand times its size.

    Raises:
        ExportError: the file is missing, cut short, too large or not of this format.
    """
    try:
        # A file object of our own: NumPy leaves its one open when the archive is damaged.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            size = sum(item.file_size for item in archive.zip.infolist())
            if size > maximum_bytes:
                raise ValueError(f"{size} bytes when unpacked")
            stored = {name: archive[name] for name in archive.files}
        return {
            name.removesuffix(_LENGTHS): _join(stored, name) if name.endswith(_LENGTHS) else array
            for name, array in stored.items()
            if not name.endswith(_BYTES)
        }
    except FileNotFoundError as error:
        raise ExportError(f"{path}: missing; export the model again") from error
    # A damaged byte can end in nearly any error of zipfile, zlib, tokenize and NumPy: they parse what strangers wrote.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ExportError(f"{path}: not a readable array file ({reason}); export the model again") from error


def _join(stored: Arrays, name: str) -> Array:
    """Cuts the bytes of one string array into its elements."""
    content, lengths = stored[name.removesuffix(_LENGTHS) + _BYTES].tobytes(), stored[name]
    ends = np.cumsum(lengths.ravel())
    if (lengths < 0).any() or (int(ends[-1]) if ends.size else 0) != len(content):
        raise ValueError(f"{name}: lengths do not add up to the stored bytes")
    result = np.empty(lengths.size, dtype=object)
    result[:] = [content[end - length : end] for end, length in zip(ends, lengths.ravel(), strict=True)]
    return result.reshape(lengths.shape)
