from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnapps.export.arrays import as_array
from rnnapps.export.parity import differences, not_finite, pad_like_server, wrong_batch, wrong_text


def compare(expected: Any, found: Any, **options: Any) -> list[str]:
    arrays = {"y": as_array(expected)}, {"y": as_array(found)}
    return list(differences(*arrays, tolerance=1e-5, **options))


def test_floats_within_tolerance_of_the_largest_value() -> None:
    assert compare([0.0, 1000.0], [0.009, 1000.0]) == []
    assert compare([0.0, 1.0], [2e-5, 1.0]) == ["output 'y': differs by 2e-05 at [0], 1e-05 allowed"]


def test_not_a_number_differs_from_numbers_only() -> None:
    assert compare([np.nan, np.inf], [np.nan, np.inf]) == []
    assert compare([0.0], [np.nan]) == ["output 'y': differs by inf at [0], 1e-05 allowed"]
    assert len(compare([np.inf], [-np.inf])) == 1
    assert len(compare([np.nan], [0.0])) == 1


@pytest.mark.parametrize(
    ("expected", "found", "message"),
    [
        ([1, 2], [1, 3], "output 'y': 3 found, 2 expected at [1]"),
        (["a", "b"], ["a", "c"], "output 'y': b'c' found, b'b' expected at [1]"),
        ([[1, 2]], [[1]], "output 'y': shape (1, 1) found, (1, 2) expected"),
        ([1.0], [1], "output 'y': int64 found, float64 expected"),
    ],
)
def test_exact_values(expected: Any, found: Any, message: str) -> None:
    assert compare(expected, found) == [message]


def test_padding_compares_what_both_have() -> None:
    assert compare([[1, 2, 0]], [[1, 2]], padding=True) == []
    assert len(compare([[1, 2, 0]], [[1, 3]], padding=True)) == 1
    assert len(compare([[1], [2]], [[1]], padding=True)) == 1, "the batch is never cut"


def test_other_outputs() -> None:
    assert list(differences({"a": np.zeros(1)}, {"b": np.zeros(1)}, tolerance=0.1)) == [
        "outputs ['b'] found, ['a'] expected"
    ]


def test_padded_with_the_first_element_of_each_row() -> None:
    inputs = {"x": np.array([[1, 2], [3, 4]]), "s": as_array([["p"], ["q"]]), "n": np.array([2, 2])}
    padded = pad_like_server(inputs, {"x": [None, None], "s": [None, None], "n": [None]}, steps=2)
    assert padded is not None
    assert padded["x"].tolist() == [[1, 2, 1, 1], [3, 4, 3, 3]]
    assert padded["s"].tolist() == [[b"p", b"p", b"p"], [b"q", b"q", b"q"]]
    assert padded["n"].tolist() == [2, 2]
    assert pad_like_server(inputs, {"x": [None, 2], "s": [None, 1], "n": [None]}) is None


def test_single_arrays() -> None:
    outputs = {
        "a": np.array([1.0, np.nan]),
        "s": as_array([b"\xff", b"x"]),
        "t_bytes": as_array([b"\xff"]),
        "n": np.array(1),
    }
    assert [line.split(":")[0] for line in not_finite(outputs)] == ["output 'a'"]
    assert [line.split(":")[0] for line in wrong_text(outputs)] == ["output 's'"]
    assert [line.split(":")[0] for line in wrong_batch(outputs, 2)] == ["output 'n'", "output 't_bytes'"]
