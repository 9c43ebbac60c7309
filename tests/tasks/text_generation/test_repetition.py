from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.tasks.text_generation.repetition import distinct_n, longest_repeat, measure_repetition


def test_distinct_n_by_hand() -> None:
    words = ["the", "cat", "the", "cat", "sat"]
    assert distinct_n([words], 1) == pytest.approx(3 / 5)
    assert distinct_n([words], 2) == pytest.approx(3 / 4)  # the cat, cat the, cat sat
    assert distinct_n([words], 3) == 1.0
    assert distinct_n(["ab", "ab"], 2) == 0.5
    assert math.isnan(distinct_n([["one"]], 2))
    with pytest.raises(ValueError, match="n >= 1"):
        distinct_n([words], 0)


@pytest.mark.parametrize(
    ("text", "expected"), [("", ""), ("a", ""), ("ab", ""), ("aa", "a"), ("aaaa", "aaa"), ("banana", "ana")]
)
def test_longest_repeat_by_hand(text: str, expected: str) -> None:
    assert longest_repeat(text) == expected


@given(st.text(alphabet="ab \n", max_size=30))
def test_longest_repeat_equals_exhaustive_search(text: str) -> None:
    pieces = [text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)]
    repeated = [piece for piece in pieces if any(text.startswith(piece, at) for at in _others(text, piece))]
    found = longest_repeat(text)
    assert len(found) == max(map(len, repeated), default=0)
    assert not found or found in repeated


def _others(text: str, piece: str) -> range:
    return range(text.find(piece) + 1, len(text))


def test_a_set_of_texts() -> None:
    measured = measure_repetition(["a b a b", "c"], orders=(1, 2))
    assert measured.distinct == {1: pytest.approx(3 / 5), 2: pytest.approx(2 / 3)}
    assert (measured.longest_repeat, measured.texts, measured.characters) == ("a b", 2, 8)
    assert measure_repetition([]).longest_repeat == ""


def test_words_one_two_and_three_at_a_time_and_the_longest_of_all_texts() -> None:
    measured = measure_repetition(["bb", "aaaa"])
    assert list(measured.distinct) == [1, 2, 3]
    assert measured.longest_repeat == "aaa"  # not b, the last of the alphabet
