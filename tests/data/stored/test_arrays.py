"""Arrays that are written and read row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.stored.arrays import ArrayWriter, StoredArray
from rnnapps.data.stored.ranges import Ranges
from rnnapps.errors import DataError


@pytest.mark.parametrize("shape", [(), (3,)])
def test_what_is_written_in_parts_is_one_array_for_numpy_too(shape: tuple[int, ...], tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(1000, *shape)).astype(np.float32)
    with ArrayWriter(tmp_path / "a.npy", np.float32, shape) as writer:
        for part in np.split(values, [0, 1, 400]):
            writer.append(part)
    stored = StoredArray(tmp_path / "a.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), values)
    assert (len(stored), stored.shape, stored.dtype) == (1000, (1000, *shape), np.float32)
    for places in (slice(0, 0), slice(3, 7), slice(-5, None), slice(990, 2000), slice(7, 3), slice(None)):
        np.testing.assert_array_equal(stored[places], values[places])
    with pytest.raises(ValueError, match="consecutive"):
        stored[::2]


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with ArrayWriter(tmp_path / "a.npy", np.int8, (2,)) as writer, pytest.raises(ValueError, match="shape"):
        writer.append(np.zeros((4, 3), np.int8))


def test_an_array_that_is_removed_while_it_is_used_can_be_read_to_its_end(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(9))
    stored = StoredArray(tmp_path / "a.npy")
    (tmp_path / "a.npy").unlink()
    assert stored[7:].tolist() == [7, 8]


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00\x10"])
def test_what_is_no_array_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError, match="missing or damaged; remove its folder"):
        StoredArray(tmp_path / "a.npy")


def test_half_an_array_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(9))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-1])
    with pytest.raises(DataError, match="missing or damaged"):
        StoredArray(tmp_path / "a.npy")


RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.integers(0, 3)), max_size=8)


@given(ranges=RANGES, places=st.lists(st.integers(0, 80), min_size=2, max_size=6))
def test_ranges_are_one_sequence(ranges: list[tuple[int, int, int]], places: list[int]) -> None:
    found = Ranges.of((start, start + length, feeds) for start, length, feeds in ranges)
    whole = [x for start, length, feeds in ranges for x in [*range(start, start + length), *[None] * feeds]]

    def content(parts: Ranges, low: int, high: int) -> list[int | None]:
        return [x for start, end, feeds in parts.between(low, high) for x in [*range(start, end), *[None] * feeds]]

    assert content(found, 0, len(found)) == whole
    borders = sorted(min(place, len(whole)) for place in places)
    assert content(found, borders[0], borders[1]) == whole[borders[0] : borders[1]]
    blocks = list(zip(borders[::2], borders[1::2], strict=False))
    kept = [x for number, x in enumerate(whole) if not any(low <= number < high for low, high in blocks)]
    rest = found.without(blocks)
    assert content(rest, 0, len(rest)) == kept
