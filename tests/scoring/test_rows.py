"""Records to the inputs of a row, by a signature as an export tells it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.contract.served import ServedSignature, ServedTensor
from rnnapps.errors import ConfigError
from rnnapps.scoring.row_format import CONTENT, Record
from rnnapps.scoring.rows import RowBuilder

SIGNATURE = ServedSignature(
    "adds",
    {
        "values": ServedTensor("float32", [None, None], missing=True),
        "lengths": ServedTensor("int32", [None]),
        "steps": ServedTensor("int32", [None], default=3),
        "wave_bytes": ServedTensor("string", [None]),
    },
    {"sum": ServedTensor("float32", [None])},
)
ONE = ServedSignature("upper", {"text": ServedTensor("string", [None])}, {"upper": ServedTensor("string", [None])})


def built(record: Mapping[str, Any], folder: Path = Path(), **columns: str) -> dict[str, Any]:
    rows = RowBuilder("adds", SIGNATURE, columns, record)(Record("here", folder, record))
    return {name: array.tolist() for name, array in rows.items()}


def test_columns_lengths_and_defaults() -> None:
    row = built({"v": [1, 2.5], "wave_bytes": b"w", "other": 1}, values="v")
    assert row == {"values": [[1.0, 2.5]], "lengths": [2], "steps": [3], "wave_bytes": [b"w"]}


def test_text_of_csv_becomes_numbers() -> None:
    assert built({"values": [1.0], "wave_bytes": b"", "steps": "7"})["steps"] == [7]
    for wrong in ("seven", "7.5", ""):
        with pytest.raises(ConfigError, match="input 'steps'"):
            built({"values": [1.0], "wave_bytes": b"", "steps": wrong})


def test_bytes_come_from_a_file_base64_or_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    for given in ("a.wav", {"b64": "c291bmQ="}, b"sound"):
        assert built({"values": [1.0], "wave_bytes": given}, tmp_path)["wave_bytes"] == [b"sound"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("none.wav", "'none.wav' cannot be read (No such file or directory)"),
        ("../outside", "'../outside' lies outside of "),
        ("/etc/hostname", "'/etc/hostname' lies outside of "),
        ({"b64": "!"}, "input 'wave_bytes': is no base64"),
        (5, "int found, str or bytes expected"),
    ],
)
def test_what_is_no_content(tmp_path: Path, given: Any, told: str) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(ConfigError) as error:
        built({"values": [1.0], "wave_bytes": given}, tmp_path / "in")
    assert told in str(error.value)


def test_a_root_is_what_paths_are_relative_to(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    values = {"values": [1.0], "wave_bytes": "a.wav"}
    rows = RowBuilder("adds", SIGNATURE, {}, values, root=tmp_path)
    assert rows(Record("here", tmp_path / "elsewhere", values))["wave_bytes"].tolist() == [b"sound"]


def test_the_only_column_is_the_only_input() -> None:
    row = RowBuilder("upper", ONE, {}, [CONTENT])(Record("here", Path(), {CONTENT: "a"}))
    assert row["text"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("there", "columns", "told"),
    [
        (["a", "b"], {}, "needs text; the columns are a, b; say which is which: --columns text=COLUMN"),
        (["a"], {"text": "b"}, "there is no column 'b'; the columns are a"),
        (["a"], {"txt": "a"}, "has no input 'txt'; it has text"),
    ],
)
def test_columns_that_do_not_fit(there: list[str], columns: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        RowBuilder("upper", ONE, columns, there)
    assert told in str(error.value)


def test_a_missing_value_is_told() -> None:
    with pytest.raises(ConfigError, match="input 'text' is missing"):
        RowBuilder("upper", ONE, {}, ["text"])(Record("here", Path(), {"text": None}))
    with pytest.raises(ConfigError, match="is not JSON"):
        RowBuilder("upper", ONE, {}, ["text"])(Record("here", Path(), {}, "is not JSON"))


def test_what_is_counted_is_missing_and_not_its_count() -> None:
    values = {"values": None, "wave_bytes": b""}
    in_order = ServedSignature("adds", dict(sorted(SIGNATURE.inputs.items())), SIGNATURE.outputs)
    with pytest.raises(ConfigError, match="input 'values' is missing, which has no default"):
        RowBuilder("adds", in_order, {}, values)(Record("here", Path(), values))


def test_missing_measurements_stay_missing() -> None:
    values = {"values": [1.0, None], "wave_bytes": b""}
    found = RowBuilder("adds", SIGNATURE, {}, values)(Record("here", Path(), values))["values"]
    np.testing.assert_array_equal(found, np.array([[1.0, np.nan]], np.float32))
