"""Keys that completions spare, counted by hand."""

from __future__ import annotations

import pytest

from rnnapps.tasks.text_generation.completion.keystrokes import (
    TypedWord,
    frequent_words,
    keystrokes_saved,
    suggesting,
    typed_words,
)
from rnnapps.tasks.text_generation.continuation import Completion

TEXT = "the thin thing, 'tis a thing; the the isn't x2 or well-known\nthorn"


def test_words_are_those_behind_white_space_of_which_the_end_is_seen() -> None:
    found = typed_words(TEXT, 99)
    assert [own.word for own in found] == ["the", "thin", "thing", "a", "thing", "the", "the", "isn't", "or", "well"]
    assert found[2].before == "the thin " and [own.word for own in typed_words(TEXT, 3)] == ["the", "thing", "well"]
    assert typed_words("12 ...", 5) == []


def test_a_word_costs_what_is_typed_and_one_key() -> None:
    """Offered at once: 1 key of 4. Offered behind two letters: 3 keys of 6. Never: all 3."""
    words = [TypedWord("", "the"), TypedWord("the ", "thing"), TypedWord("the ", "of")]
    asked = []

    def suggest(pairs: list[tuple[str, str]]) -> list[list[str]]:
        asked.extend(pairs)
        return [["x", "y", "the"] if typed == "" else ["thing"] if typed == "th" else ["a", "b", "c", "of"]
                for _, typed in pairs]  # fmt: skip

    assert keystrokes_saved(words, suggest) == pytest.approx(100 * (1 - (1 + 3 + 3) / (4 + 6 + 3)))
    assert ("", "t") not in asked and ("the ", "thi") not in asked and ("the ", "o") in asked
    assert keystrokes_saved([], suggest) == 0


def test_frequent_words_are_offered_by_what_is_typed() -> None:
    suggest = frequent_words(TEXT)
    assert suggest([("a ", ""), ("", "thi"), ("", "q")]) == [["the", "thing", "thin"], ["thing", "thin"], []]


def test_a_model_offers_whole_words_alone() -> None:
    ends = tuple(Completion(text, 0.1) for text in ("in", " in", "is.", "\n", "ing"))
    assert suggesting(lambda prompts, *, count: [ends])([("so ", "th")]) == [["thin", "thing"]]
