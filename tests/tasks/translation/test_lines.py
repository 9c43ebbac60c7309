"""Lines of files of any size, and samples of them."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnapps.errors import DataError
from rnnapps.tasks.translation.data import lines
from rnnapps.tasks.translation.data.lines import sampled, text_lines


def test_documents_stand_between_lines_without_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n\na\nb\n \n\nc\n\n")
    assert [(line.number, line.text, line.document) for line in text_lines(path) if line.text.strip()] == [
        (3, "a", 0),
        (4, "b", 0),
        (7, "c", 1),
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.sampled_from("a\n\rß☃\u2028 "), max_size=30),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_large_file_has_the_lines_of_a_small_one(
    text: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    monkeypatch.setattr(lines, "LARGE_BYTES", 1 << 25)
    small = list(text_lines(path))
    monkeypatch.setattr(lines, "LARGE_BYTES", 0)
    assert list(text_lines(path)) == small


def test_what_is_wrong_with_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LARGE_BYTES", 0)
    monkeypatch.setattr(lines, "LONGEST_LINE", 1000)
    for content, said in {
        b"a\n" * 9 + b"\xff\n": "which is not UTF-8 text",
        b"a\n" + b"b" * 2000: "line 2 has more than 1,000 characters",
        b"%PDF-1.7\n": "is a PDF document",
    }.items():
        path = tmp_path / "a.txt.gz"
        path.write_bytes(gzip.compress(content))
        with pytest.raises(DataError, match=said) as raised:
            list(text_lines(path))
        assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_a_sample_is_even_and_the_same_each_time() -> None:
    assert sampled("abc", 3) == (["a", "b", "c"], 3) and sampled("", 3) == ([], 0)
    found, count = sampled(range(100_000), 1000)
    assert count == 100_000 and len(found) == 1000 and found == sorted(set(found)) and found[0] == 0
    assert found == sampled(range(100_000), 1000)[0]
    tenths = Counter(number // 10_000 for number in found)
    assert all(60 < tenths[tenth] < 140 for tenth in range(10))


def test_each_item_but_the_first_is_as_likely_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(1)
    monkeypatch.setattr(lines.np.random, "default_rng", lambda _: draw)
    counts = Counter(number for _ in range(4000) for number in sampled(range(6), 3)[0])
    assert counts[0] == 4000
    assert all(abs(counts[number] - 1600) < 130 for number in range(1, 6))  # four standard deviations
