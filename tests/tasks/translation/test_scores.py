"""Scores of translations by hand, and the dictionary of co-occurrence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnapps.tasks.translation.scores import bleu_of, bleu_statistics, score_translations, signatures
from rnnapps.tasks.translation.word_dictionary import WordDictionary, words_of


def test_bleu_by_hand() -> None:
    found = score_translations(["the cat sat on a mat"], [["the cat sat on the mat"]])
    precisions = (5 / 6, 3 / 5, 2 / 4, 1 / 3)  # of 1-grams to 4-grams; as long as its reference
    assert found["bleu"] == pytest.approx(100 * math.prod(precisions) ** 0.25, abs=1e-6)
    assert found["exact_match_percent"] == 0 and 50 < found["chrf"] < 100


WRITTEN = ["the cat sat on a mat", "A small dog", "zebra", "the dog runs over the field", "nothing alike here at all"]
WANTED = [
    "the cat sat on the mat",
    "a small dog barks",
    "horse",
    "a dog runs over a field",
    "one two three four five six",
]


def single(references: list[str]) -> list[list[str]]:
    return [[reference] for reference in references]


def test_several_references_count_as_in_sacrebleu() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    references = [[first, "a cat is on the mat"] for first in WANTED[:2]] + single(WANTED[2:])
    streams = [WANTED, ["a cat is on the mat"] * 2 + [None] * 3]
    found = score_translations(WRITTEN, references)
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(WRITTEN, streams, force=True).score)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(WRITTEN, streams).score)
    assert bleu_of(bleu_statistics(WRITTEN, references).sum(axis=0)) == pytest.approx(found["bleu"], abs=1e-6)
    assert found["bleu"] > score_translations(WRITTEN, single(WANTED))["bleu"]
    assert score_translations(["a cat is on the mat"], references[:1])["exact_match_percent"] == 100


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("chosen", [[0, 1, 2, 3, 4], [0, 0, 3], [4, 2], [1], [2], [0, 1, 1, 4, 4]])
def test_bleu_of_drawn_sentences_is_that_of_sacrebleu(chosen: list[int], lowercase: bool) -> None:
    """Whole n-grams missing, one of them, and sentences drawn twice."""
    written, wanted = ([texts[row] for row in chosen] for texts in (WRITTEN, WANTED))
    expected = score_translations(written, single(wanted), lowercase=lowercase)["bleu"]
    statistics = bleu_statistics(WRITTEN, single(WANTED), lowercase=lowercase)
    counts = np.bincount(chosen, minlength=len(WRITTEN))
    assert bleu_of(counts @ statistics) == pytest.approx(expected, abs=1e-6)
    assert bleu_of(np.stack([counts @ statistics] * 2)) == pytest.approx([expected] * 2, abs=1e-6)


def test_a_perfect_translation_but_for_case() -> None:
    pair = (["A dog runs over the field ."], [["a Dog runs over the field ."]])
    ignored, minded = (score_translations(*pair, lowercase=lowercase) for lowercase in (True, False))
    assert ignored == pytest.approx({"bleu": 100, "chrf": 100, "exact_match_percent": 100})
    assert minded["bleu"] < 100 and minded["exact_match_percent"] == 0


def test_signatures_say_how() -> None:
    assert "case:lc" in signatures(lowercase=True)["bleu"] and "tok:13a" in signatures()["bleu"]
    assert "nc:6" in signatures()["chrf"]


def test_the_dictionary_takes_the_most_associated_word() -> None:
    known = WordDictionary(["der Hund", "der Mann", "ein Hund"], ["the dog", "the man", "a dog"])
    assert known.translations == {"der": "the", "Hund": "dog", "Mann": "man", "ein": "a"}
    assert known.translate("ein Mann, der Xaver") == "a man , the Xaver"


def test_words() -> None:
    assert words_of("Isn't it 3,5?") == ["Isn", "'", "t", "it", "3", ",", "5", "?"]


def test_case_counts_unless_told_otherwise() -> None:
    pair = (["a dog", "a cat", "A fox", "an owl"], single(["a dog", "a cat", "a fox", "the owl"]))
    assert score_translations(*pair)["exact_match_percent"] == 50
    assert score_translations(*pair, lowercase=True)["exact_match_percent"] == 75
    assert "case:mixed" in signatures()["bleu"] and "case:mixed" in signatures()["chrf"]


def test_the_dictionary_counts_a_hundred_words_of_a_sentence() -> None:
    words = [f"w{number}" for number in range(101)]
    known = WordDictionary([" ".join(words)], ["x"]).translations
    assert set(known) == set(words[:100])
    assert WordDictionary(["x"], [" ".join(words[:0:-1])]).translations == {"x": "w1"}


def test_the_dictionary_counts_pairs_not_repetitions_and_takes_the_first_of_equals() -> None:
    known = WordDictionary(["a a b", "a"], ["y y x", "y"]).translations
    assert known == {"a": "y", "b": "x"}  # b: x 2/(1 + 1), y 2/(1 + 2)
    assert WordDictionary(["a"], ["z y"]).translations == {"a": "y"}
