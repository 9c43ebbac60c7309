"""Utterances of a stream: what is written, when they are over, and that nothing depends on the size of chunks."""

from __future__ import annotations

import dataclasses
import json

import pytest

from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet
from rnnapps.tasks.speech_recognition.results import Word
from rnnapps.tasks.speech_recognition.utterances import EndpointRules, StreamResult, Utterance

LETTERS = Alphabet([" ", "a", "b"])
SPACE, A, B = 1, 2, 3
RULES = EndpointRules(silence_after_nothing=0.8, silence_after_speech=0.4, longest=2.0)


def heard(*symbols: int, utterance: Utterance | None = None, alphabet: Alphabet = LETTERS) -> Utterance:
    utterance = utterance or Utterance()
    for symbol in symbols:
        utterance.hear(symbol, alphabet.space)
    return utterance


def test_repetitions_are_merged_and_blanks_dropped() -> None:
    found = heard(SPACE, 0, A, A, 0, A, B, 0, 0, SPACE, 0, SPACE, B, B, 0)
    assert found.transcript(LETTERS) == "aab b"
    assert found.words(LETTERS, 0.1) == (Word("aab", 0.2, 0.7), Word("b", 1.2, 1.4))
    assert (found.heard, found.spoken, found.silent) == (15, 14, 1)
    assert heard(0, SPACE, 0).symbols == []


def test_words_as_units() -> None:
    words = Alphabet(["hi", "lo"], "words")
    found = heard(1, 1, 0, 2, 2, 0, alphabet=words)
    assert found.transcript(words) == "hi lo"
    assert found.words(words, 0.5) == (Word("hi", 0.0, 1.0), Word("lo", 1.5, 2.5))


@pytest.mark.parametrize(
    ("symbols", "rule"),
    [
        ((0,) * 7, 0),
        ((0,) * 8, 1),
        ((A, 0, 0, 0), 0),
        ((A, 0, 0, 0, 0), 2),
        ((A, 0, SPACE, 0, 0), 2),  # a space is no sound
        ((A, B) * 9 + (A,), 0),
        ((A, B) * 10, 3),
    ],
)
def test_rules_by_hand(symbols: tuple[int, ...], rule: int) -> None:
    assert heard(*symbols).fired(RULES, 0.1) == rule


def test_silence_ends_an_utterance_and_the_next_begins_with_nothing() -> None:
    over, after = heard(A, SPACE, B, 0, 0, 0, 0).following(2, SPACE)
    assert over.transcript(LETTERS) == "a b" and (after.segment, after.start, after.symbols) == (1, 7, [])
    assert after.silent == 0 and after.fired(RULES, 0.1) == 0
    assert heard(*(0,) * 8, utterance=after).fired(RULES, 0.1) == 1
    _, again = after.following(1, SPACE)
    assert (again.segment, again.start) == (1, 15)  # nothing was said


def test_what_is_too_long_is_parted_between_words() -> None:
    long = heard(A, SPACE, B, 0, B, SPACE, A, A)
    over, after = long.following(3, SPACE)
    assert over.transcript(LETTERS) == "a bb " and over.segment == 0
    assert after.transcript(LETTERS) == "a" and (after.segment, after.start, after.previous) == (1, 6, A)
    heard(A, 0, B, utterance=after)  # the word goes on
    assert after.words(LETTERS, 1.0) == (Word("ab", 6.0, 11.0),)
    over, after = heard(A, B, A).following(3, SPACE)
    assert over.transcript(LETTERS) == "aba" and after.symbols == []


def test_results_outlive_json() -> None:
    result = StreamResult(3, True, "a b", "a b", 1.5, 2.5, (Word("a", 1.5, 1.6), Word("b", 2.0, 2.1)))
    assert StreamResult.of(json.loads(json.dumps(dataclasses.asdict(result)))) == result
    utterance = heard(A, SPACE, B)
    assert Utterance(**json.loads(json.dumps(dataclasses.asdict(utterance)))) == utterance
