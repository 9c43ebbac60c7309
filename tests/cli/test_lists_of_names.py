"""Lists of names take numbers, dates and words that YAML would read as something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnnapps.cli.arguments import parse_arguments
from rnnapps.errors import ConfigError
from rnnapps.verbs.configure import configure
from rnnapps.verbs.pipelines import find_pipeline

PIPELINE = find_pipeline("forecasting")


def channels(*argv: str) -> Any:
    return parse_arguments(PIPELINE, "data", argv).config.data.channels


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[2, 3]", ("2", "3")),
        ("[007, 1.50, 2024-01-01]", ("007", "1.50", "2024-01-01")),
        ("[no, de, true, null]", ("no", "de", "true", "null")),
        ('["a, b", c]', ("a, b", "c")),
        ("[]", ()),
    ],
)
def test_items_of_flags_are_as_they_are_written(text: str, expected: tuple[str, ...]) -> None:
    assert channels(f"--data.channels={text}") == expected
    assert channels("--data.channels", text) == expected


def test_items_of_files_and_of_python_may_be_numbers(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("data:\n  channels: [2, load, 2024-01-01]\n")
    assert channels("--config", str(tmp_path / "c.yaml")) == ("2", "load", "2024-01-01")
    config = configure(PIPELINE, {}, {"data": {"channels": [2, "load"]}})
    assert config.data.channels == ("2", "load")


@pytest.mark.parametrize("text", ["load", "[[a], b]", "{a: b}", "[a", "[" * 2_000])
def test_what_is_no_list_of_names_is_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--data\.channels must be a list, each item text") as error:
        channels(f"--data.channels={text}")
    assert "\n" not in str(error.value)
