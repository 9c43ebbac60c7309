"""Pieces cut in the graph against the library `tokenizers`, and back to text."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.preprocessing.fit_pieces import fit_pieces
from rnnapps.preprocessing.piece_kinds import PieceKind
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import UNKNOWN
from rnnapps.preprocessing.split_words import LONGEST_WORD
from tests.preprocessing.vocabularies import (
    CHARACTERS,
    KNOWN,
    SUBWORDS,
    TEXTS,
    WORDPIECES,
    both_kinds,
    compiled,
    library,
    normal,
    rows,
)

MIXED = st.lists(
    st.one_of(
        st.sampled_from(KNOWN), st.sampled_from(["Hund", "läuf", " ", "über", "##", "▁", "eiße" * 40]), st.characters()
    ),
    max_size=30,
).map("".join)


@both_kinds
@settings(max_examples=150, deadline=None)
@given(st.lists(MIXED, min_size=1, max_size=4))
def test_ids_are_those_of_the_library(vocabulary: PieceVocabulary, texts: list[str]) -> None:
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    reference = library(vocabulary)
    assert rows(vocabulary, clean, in_graph=True) == [reference.encode(normal(text)).ids for text in clean]


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=KNOWN, max_size=40), st.integers(1, 6))
def test_what_is_cut_can_be_joined(text: str, times: int) -> None:
    for vocabulary in (SUBWORDS, WORDPIECES, CHARACTERS):
        ids, lengths = compiled(vocabulary)(tf.constant([text * times]))
        assert vocabulary.decode(ids, lengths).numpy()[0].decode() == normal(text * times)
        assert UNKNOWN not in ids.numpy()


WORDS = fit_pieces(TEXTS, tokens="words", size=30)


@settings(max_examples=25, deadline=None)
@given(st.lists(MIXED, min_size=1, max_size=3))
def test_unknown_pieces_are_replaced_by_what_they_stand_for(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    for vocabulary in (SUBWORDS, WORDPIECES, CHARACTERS, WORDS):
        ids, lengths, parts = compiled(vocabulary, "encode_with_texts")(tf.constant(clean))
        found = vocabulary.decode(ids, lengths, parts).numpy()
        assert [text.decode() for text in found] == [normal(text) for text in clean]


def test_words_by_hand() -> None:
    vocabulary = fit_pieces(["a b b, c", "b a."], tokens="words", size=8)
    assert vocabulary.pieces == ["▁b", "▁a", ",", "."]
    ids, lengths, texts = vocabulary.encode_with_texts(tf.constant(["b xyz, b", "", "a a"]))
    assert ids.numpy().tolist() == [[4, UNKNOWN, 6, 4], [0] * 4, [5, 5, 0, 0]]
    assert lengths.numpy().tolist() == [4, 0, 2]
    assert [text.decode() for text in texts[0].numpy()] == [" b", " xyz", ",", " b"]
    assert vocabulary.decode(ids, lengths, texts).numpy().tolist() == [b"b xyz, b", b"", b"a a"]
    assert vocabulary.decode(ids, lengths).numpy()[0].decode() == "b\ufffd, b"


def test_characters_by_hand() -> None:
    vocabulary = fit_pieces(["abba c", "ab"], tokens="characters", size=7)
    assert vocabulary.unit == "character" and vocabulary.pieces == ["a", "b", "▁"]
    assert rows(vocabulary, ["ba c#"]) == [[6, 5, 4, 6, UNKNOWN, UNKNOWN]]


def test_longest_pieces_win_by_hand() -> None:
    vocabulary = PieceVocabulary(["▁un", "▁u", "##n", "##able", "##ab", "##l", "##e", "▁"])
    assert rows(vocabulary, ["unable", "unabl", "unx", "u n"]) == [[4, 7], [4, 8, 9], [UNKNOWN], [5, 11, 6]]


def test_sizes_are_kept_and_results_repeat() -> None:
    kinds: tuple[PieceKind, ...] = ("subwords", "wordpieces", "words", "characters")
    for tokens in kinds:
        first = fit_pieces(TEXTS, tokens=tokens, size=60, lowercase=True)
        assert first.size <= 60 and first.pieces == fit_pieces(TEXTS, tokens=tokens, size=60, lowercase=True).pieces
        assert all(piece == piece.lower() for piece in first.pieces)


@both_kinds
def test_long_words_go_on_as_others(vocabulary: PieceVocabulary) -> None:
    whole, rest = "e" * (LONGEST_WORD - 1), "e" * 30  # and the sign before the word
    (found,) = rows(vocabulary, [whole + rest])
    (begun,) = rows(vocabulary, [whole])
    assert found[: len(begun)] == begun and found == library(vocabulary).encode(whole + rest).ids


def test_bad_pieces() -> None:
    for pieces in (["a", "a"], [""], ["##"]):
        with pytest.raises(ValueError, match="empty"):
            PieceVocabulary(pieces)


@both_kinds
def test_an_empty_batch(vocabulary: PieceVocabulary) -> None:
    ids, lengths = vocabulary.encode(tf.zeros((0,), tf.string))
    assert ids.shape == (0, 0) and lengths.shape == (0,)
    assert np.asarray(vocabulary.encode(tf.constant(["", " "]))[1]).tolist() == [0, 0]
