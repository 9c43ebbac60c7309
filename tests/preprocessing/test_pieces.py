"""Pieces cut in the graph against the library `tokenizers`, and back to text."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.fit_pieces import fit_pieces, grow_pieces
from rnnapps.preprocessing.normalize_text import normalize
from rnnapps.preprocessing.pieces import ISOLATED, SPECIAL, UNKNOWN, PieceVocabulary

TEXTS = [
    "Der Hund läuft über die Wiese, nicht wahr?",
    "Ein kleiner Hund und ein großer Hund spielen auf der Straße.",
    "Straßenbahnhaltestelle 12: 3,50 € (ermäßigt)",
    "die Hunde laufen; der Läufer läuft weiter über Wiesen.",
    "Grüße aus Zürich! Größer, kleiner, weiter - immer weiter.",
]


@pytest.fixture(scope="module")
def subwords() -> PieceVocabulary:
    return fit_pieces(TEXTS * 3, tokens="subwords", size=400)


@functools.cache
def library(vocabulary: PieceVocabulary) -> Tokenizer:
    names = {name: number for number, name in enumerate(vocabulary.names)}
    tokenizer = Tokenizer(models.WordPiece(names, unk_token=SPECIAL[UNKNOWN], max_input_chars_per_word=100))
    alone = pre_tokenizers.Split(Regex("[" + re.escape(ISOLATED) + "]"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="always"), alone])
    return tokenizer


@functools.cache
def compiled(vocabulary: PieceVocabulary) -> Any:
    """`encode` in a graph, as it is served."""
    return tf.function(vocabulary.encode, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)


def rows(vocabulary: PieceVocabulary, texts: list[str], *, in_graph: bool = False) -> list[list[int]]:
    encode = compiled(vocabulary) if in_graph else vocabulary.encode
    ids, lengths = encode(tf.constant(texts, tf.string))
    return [row[:length].tolist() for row, length in zip(ids.numpy(), lengths.numpy(), strict=True)]


normalized = tf.function(normalize, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)


def normal(text: str) -> str:
    return str(normalized(tf.constant([text])).numpy()[0].decode())


CHARACTERS = fit_pieces(TEXTS, tokens="characters", size=100)
KNOWN = "".join(sorted(set("".join(TEXTS))))
MIXED = st.lists(
    st.one_of(st.sampled_from(KNOWN), st.sampled_from(["Hund", "läuf", " ", "über", "##", "▁"]), st.characters()),
    max_size=30,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(MIXED, min_size=1, max_size=4))
def test_ids_are_those_of_the_library(subwords: PieceVocabulary, texts: list[str]) -> None:
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    reference = library(subwords)
    assert rows(subwords, clean, in_graph=True) == [reference.encode(normal(text)).ids for text in clean]


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=KNOWN, max_size=40))
def test_what_is_cut_can_be_joined(subwords: PieceVocabulary, text: str) -> None:
    for vocabulary in (subwords, CHARACTERS):
        ids, lengths = compiled(vocabulary)(tf.constant([text]))
        assert vocabulary.decode(ids, lengths).numpy()[0].decode() == normal(text)
        assert UNKNOWN not in ids.numpy()


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


def test_growing_keeps_ids_and_learns_words(subwords: PieceVocabulary) -> None:
    new = ["Der Cappuccino in Ωmega kostet viel.", "Cappuccino und noch ein Cappuccino in Ωmega!"]
    grown = grow_pieces(subwords, new, most=200)
    assert grown.pieces[: len(subwords.pieces)] == subwords.pieces
    assert "▁Cappuccino" in grown.pieces and "Ω" in grown.pieces
    assert grown.unknown_share(tf.constant(new)) == 0 < subwords.unknown_share(tf.constant(new))
    assert grow_pieces(subwords, new, most=0).pieces == subwords.pieces
    assert len(grow_pieces(subwords, new, most=7).pieces) <= len(subwords.pieces) + 7
    reference = library(grown)
    assert rows(grown, new) == [reference.encode(text).ids for text in new]


def test_sizes_are_kept_and_results_repeat() -> None:
    for tokens in ("subwords", "words", "characters"):
        first = fit_pieces(TEXTS, tokens=tokens, size=60, lowercase=True)
        assert first.size <= 60 and first.pieces == fit_pieces(TEXTS, tokens=tokens, size=60, lowercase=True).pieces
        assert all(piece == piece.lower() for piece in first.pieces)


def test_long_words_are_unknown(subwords: PieceVocabulary) -> None:
    fits, too_long = "e" * 99, "e" * 100  # and the sign before the word
    assert rows(subwords, [too_long, fits]) == [[UNKNOWN], library(subwords).encode(fits).ids]


def test_saved_and_loaded(subwords: PieceVocabulary, tmp_path: Path) -> None:
    subwords.save(tmp_path)
    loaded = PieceVocabulary.load(tmp_path)
    assert loaded.names == subwords.names and rows(loaded, TEXTS) == rows(subwords, TEXTS)
    for broken in ("{}", '{"pieces": ["a", "a"], "lowercase": false, "unit": "word"}', "[1]"):
        (tmp_path / "pieces.json").write_text(broken)
        with pytest.raises(CheckpointError, match=r"pieces\.json"):
            PieceVocabulary.load(tmp_path)


def test_bad_pieces() -> None:
    for pieces in (["a", "a"], [""], ["##"]):
        with pytest.raises(ValueError, match="distinct"):
            PieceVocabulary(pieces)


def test_an_empty_batch(subwords: PieceVocabulary) -> None:
    ids, lengths = subwords.encode(tf.zeros((0,), tf.string))
    assert ids.shape == (0, 0) and lengths.shape == (0,)
    assert np.asarray(subwords.encode(tf.constant(["", " "]))[1]).tolist() == [0, 0]
