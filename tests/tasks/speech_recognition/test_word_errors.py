from __future__ import annotations

import pytest

from rnnapps.tasks.speech_recognition.word_errors import (
    confused_words,
    error_rates,
    error_statistics,
    recognition_errors,
)

SAID = ["one two three", "four"]
HEARD = ["one too", "for for"]


def test_rates_count_over_all_words() -> None:
    found = error_rates(SAID, HEARD)
    assert found["word_error_rate"] == pytest.approx(4 / 4)  # two -> too, three gone, four -> for, one for more
    assert found["character_error_rate"] == pytest.approx((1 + 6 + 4) / 17)
    assert found["sentence_error_rate"] == 1.0
    assert error_rates(SAID, SAID) == dict.fromkeys(found, 0.0)
    assert error_rates(SAID, ["", ""])["word_error_rate"] == 1.0


def test_errors_of_each_utterance() -> None:
    found = error_statistics(["one two three", "four", "five six"], ["one too", "for for", ""])
    assert found.tolist() == [[2, 3], [2, 1], [2, 2]]
    assert error_statistics(["a b"], ["x a b c"]).tolist() == [[2, 2]]


def test_errors_by_kind() -> None:
    assert recognition_errors(SAID, HEARD) == {"words": 4, "substitutions": 2, "insertions": 1, "deletions": 1}


def test_confusions() -> None:
    found = confused_words(["a b c", "a"], ["a x", "a y"])
    assert found[("a", "a")] == 2 and found[("", "y")] == 1 and sum(found.values()) == 5
    # Of "b c" one is taken for x and one is missing.
    pairs = {pair for pair in found if pair != ("a", "a") and pair != ("", "y")}
    assert pairs in ({("b", "x"), ("c", "")}, {("b", ""), ("c", "x")})


def test_missing_words_stand_beside_nothing() -> None:
    assert confused_words(["a b c"], ["a"]) == {("a", "a"): 1, ("b", ""): 1, ("c", ""): 1}
    assert confused_words(["a"], ["b a c"]) == {("", "b"): 1, ("a", "a"): 1, ("", "c"): 1}
    assert confused_words(["x", "x"], ["y", "y"]) == {("x", "y"): 2}
