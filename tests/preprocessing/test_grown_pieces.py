"""Vocabularies extended by new texts."""

from __future__ import annotations

import itertools

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.preprocessing.fit_pieces import grow_pieces
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import UNKNOWN
from tests.preprocessing.vocabularies import KNOWN, SUBWORDS, TEXTS, both_kinds, library, normal, rows

NEW = ["Der Cappuccino in Ωmega kostet viel.", "Cappuccino und noch ein Cappuccino in Ωmega!"]


@both_kinds
def test_growing_keeps_ids_and_learns_words(vocabulary: PieceVocabulary) -> None:
    grown = grow_pieces(vocabulary, NEW, most=200)
    assert grown.pieces[: len(vocabulary.pieces)] == vocabulary.pieces
    assert "▁Cappuccino" in grown.pieces and "Ω" in grown.pieces
    assert grown.unknown_share(tf.constant(NEW)) == 0 < vocabulary.unknown_share(tf.constant(NEW))
    assert grow_pieces(vocabulary, NEW, most=0).names == vocabulary.names
    for most in (3, 7, 20):
        assert len(grow_pieces(vocabulary, NEW, most=most).pieces) <= len(vocabulary.pieces) + most
    reference = library(grown)
    assert rows(grown, NEW) == [reference.encode(text).ids for text in NEW]


def test_grown_merges_come_behind_the_old_ones() -> None:
    grown = grow_pieces(SUBWORDS, NEW, most=200)
    assert SUBWORDS.merges and grown.merges and grown.merges[: len(SUBWORDS.merges)] == SUBWORDS.merges
    assert len(set(grown.merges)) == len(grown.merges) > len(SUBWORDS.merges)
    assert rows(grown, TEXTS) == rows(SUBWORDS, TEXTS)
    again = grow_pieces(grown, NEW, most=200)
    assert again.names == grown.names and again.merges == grown.merges


GROWN = grow_pieces(SUBWORDS, NEW, most=200)
ADDED = set((GROWN.merges or [])[len(SUBWORDS.merges or []) :])
PARTS = ["Cap", "puccino", "Hund", "läu", "größ", "und", "ein", "Ωm", " ", "viel", "Wie", ",", "no"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PARTS), st.sampled_from(KNOWN)), max_size=12).map("".join))
def test_a_grown_vocabulary_cuts_what_holds_no_new_pair_as_before(text: str) -> None:
    (before,), (after,) = rows(SUBWORDS, [text], in_graph=True), rows(GROWN, [text], in_graph=True)
    assert after == library(GROWN).encode(normal(text)).ids
    names = [SUBWORDS.names[number] for number in before]
    if UNKNOWN not in before and not ADDED & set(itertools.pairwise(names)):
        assert after == before
