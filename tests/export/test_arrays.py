from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.errors import ExportError
from rnnapps.export.arrays import as_array, load_arrays, save_arrays


@given(st.lists(st.binary(max_size=9), max_size=6))
def test_any_bytes_survive(strings: list[bytes]) -> None:
    values = np.empty(len(strings), dtype=object)
    values[:] = strings
    with TemporaryDirectory() as folder:
        save_arrays(Path(folder) / "a.npz", {"s/t": values})
        loaded = load_arrays(Path(folder) / "a.npz")["s/t"]
    assert loaded.dtype == object
    assert loaded.tolist() == strings


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "uint8"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3)])
def test_numbers_survive(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    values = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    save_arrays(tmp_path / "a.npz", {"x": values})
    loaded = load_arrays(tmp_path / "a.npz")["x"]
    assert loaded.dtype == values.dtype
    np.testing.assert_array_equal(loaded, values)


def test_text_becomes_bytes() -> None:
    assert as_array([["ä", "b"]]).tolist() == [["ä".encode(), b"b"]]
    assert as_array(np.array([[b"a"], [b"b"]])).tolist() == [[b"a"], [b"b"]]


@pytest.mark.parametrize("value", [[{}], [object()], ["x", None]])
def test_other_objects_are_refused(value: Any) -> None:
    with pytest.raises(ExportError, match="expected an array of numbers or of strings"):
        as_array(np.array(value, dtype=object))


def test_same_arrays_same_file(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_arrays(tmp_path / name, {"x": np.arange(3), "s": ["p", "q"]})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_pickle_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(ExportError, match="not a readable array file"):
        load_arrays(tmp_path / "a.npz")


def test_lengths_that_do_not_fit(tmp_path: Path) -> None:
    forged = {"s|bytes": np.zeros(3, np.uint8), "s|lengths": np.array([5, -2])}
    np.savez(tmp_path / "a.npz", **forged)
    with pytest.raises(ExportError, match="lengths do not add up"):
        load_arrays(tmp_path / "a.npz")


def test_what_would_fill_the_memory(tmp_path: Path) -> None:
    """A million zeros in a thousand bytes: refused by the size they would have."""
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(1_000_000, np.uint8))
    assert (tmp_path / "a.npz").stat().st_size < 10_000
    assert load_arrays(tmp_path / "a.npz", maximum_bytes=1_000_200)["x"].shape == (1_000_000,)
    with pytest.raises(ExportError, match="bytes when unpacked"):
        load_arrays(tmp_path / "a.npz", maximum_bytes=1_000_000)


def test_any_damaged_bit_is_one_line(tmp_path: Path) -> None:
    """Array files are parsed by zipfile, zlib, tokenize and NumPy, each with errors of its own."""
    save_arrays(tmp_path / "a.npz", {"x": np.arange(3), "s": ["p", "q"]})
    content, right = (tmp_path / "a.npz").read_bytes(), load_arrays(tmp_path / "a.npz")
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        (tmp_path / "b.npz").write_bytes(damaged)
        try:
            found = load_arrays(tmp_path / "b.npz")
        except ExportError as error:
            assert "\n" not in str(error)
            assert str(error).endswith("export the model again")
        else:
            assert {name: value.tolist() for name, value in found.items() if name in right} == {
                name: value.tolist() for name, value in right.items() if name in found
            }
