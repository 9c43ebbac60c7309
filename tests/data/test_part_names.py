from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps.data.part_names import part_named, parts_of, subset_part
from rnnapps.errors import DataError


def test_names_of_parts_in_any_case() -> None:
    names = ("Train", " training", "VAL", "dev", "valid", "Testing", "train-clean-100", "trainer", "")
    assert [part_named(name) for name in names] == [*["train"] * 2, *["validation"] * 3, "test", None, None, None]


def test_subsets_by_their_first_word() -> None:
    names = ("train-clean-100", "train_clean100", "dev-other", "test", "trains", "1-train", "validation2")
    assert [subset_part(name) for name in names] == [
        "train", "train", "validation", "test", None, None, "validation",
    ]  # fmt: skip


def test_parts_in_their_order_and_never_two_of_one() -> None:
    assert parts_of([Path("x/test.csv"), Path("x/Train.csv")], "x") == {
        "train": [Path("x/Train.csv")],
        "test": [Path("x/test.csv")],
    }
    assert parts_of(["test_a", "test_b"], "x", subsets=True) == {"test": ["test_a", "test_b"]}
    with pytest.raises(DataError, match=r"x: has val\.csv and dev\.csv, which all mean the validation part"):
        parts_of([Path("val.csv"), Path("dev.csv")], "x")
