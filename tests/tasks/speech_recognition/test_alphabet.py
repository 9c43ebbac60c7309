from __future__ import annotations

import json
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.errors import CheckpointError
from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet

TEXTS = ["one two", "zwölf", "it's"]


@given(st.lists(st.sampled_from(["one", "two", "zwölf", "it's", "x"]), min_size=1, max_size=5))
def test_what_is_encoded_decodes(words: list[str]) -> None:
    text = " ".join(words)
    for unit in ("characters", "words"):
        alphabet = Alphabet.fit([*TEXTS, "x"], unit)
        ids = alphabet.encode(text)
        assert alphabet.decode(tf.constant([ids]), tf.constant([len(ids)])).numpy()[0].decode() == text


def test_spaces_are_tidied_and_words_found() -> None:
    alphabet = Alphabet.fit(TEXTS, "characters")
    ids = tf.constant([alphabet.encode("  one  two "), alphabet.encode("           ")])
    lengths = tf.constant([11, 0])
    assert alphabet.decode(ids, lengths).numpy().tolist() == [b"one two", b""]
    begins, within = alphabet.word_starts(ids, lengths)
    assert begins.numpy().nonzero()[1].tolist() == [2, 7]
    assert within.numpy().nonzero()[1].tolist() == [2, 3, 4, 7, 8, 9]


def test_growing_keeps_ids() -> None:
    alphabet = Alphabet(["b", "a"])
    grown = alphabet.grow(["abc d"])
    assert grown.symbols == ("b", "a", " ", "c", "d") and grown.size == 6 and grown.space == 3
    assert Alphabet(["one"], "words").grow(["two one"]).symbols == ("one", "two")


def test_it_is_saved_and_damage_is_told(tmp_path: Path) -> None:
    alphabet = Alphabet.fit(TEXTS, "words")
    alphabet.save(tmp_path)
    assert Alphabet.load(tmp_path).symbols == alphabet.symbols
    for broken in ({"unit": "words", "symbols": ["a b"]}, {"unit": "letters", "symbols": []}, {"symbols": ["a", "a"]}):
        (tmp_path / "alphabet.json").write_text(json.dumps(broken))
        with pytest.raises(CheckpointError, match="is no alphabet"):
            Alphabet.load(tmp_path)
