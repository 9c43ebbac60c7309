"""Byte-pair encoding by hand, and with merges in any order against the library."""

from __future__ import annotations

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import UNKNOWN
from tests.preprocessing.vocabularies import library, rows


def test_merges_by_hand() -> None:
    merges = [("a", "b"), ("▁", "c"), ("b", "a"), ("ab", "ab"), ("▁c", "ab")]
    vocabulary = PieceVocabulary([*"▁abc", *map("".join, merges)], merges)
    assert rows(vocabulary, ["babab", "cabab", "caba", "bab", "c", ""]) == [
        [4, 6, 11],  # ▁ b abab: a b is merged twice before b a
        [9, 11],  # ▁c abab: what was learned first comes first, and ab ab was before ▁c ab
        [12, 5],  # ▁cab a
        [4, 6, 8],
        [9],
        [],
    ]
    assert rows(vocabulary, ["xyb ☃c", "☃"]) == [[4, UNKNOWN, 6, 4, UNKNOWN, 7], [4, UNKNOWN]]
    _, lengths, texts = vocabulary.encode_with_texts(tf.constant(["xyb x1!y"]))
    assert [text.decode() for text in texts[0].numpy()] == [" ", "xy", "b", " ", "x", "1", "!", "y"]
    assert lengths.numpy().tolist() == [8]


def test_a_piece_that_two_merges_make() -> None:
    """The pair abc + d was learned before a + bc: after the left bc has become abc, it comes before the right one."""
    merges = [("b", "c"), ("x", "ab"), ("abc", "a"), ("a", "bc"), ("abca", "bc"), ("a", "b")]
    vocabulary = PieceVocabulary([*"▁abcx", "bc", "xab", "abca", "abc", "abcabc", "ab"], merges)
    found = rows(vocabulary, ["abcabc", "abc", "xabcabc"])
    assert [[vocabulary.names[number] for number in row] for row in found] == [
        ["▁", "abcabc"],
        ["▁", "abc"],
        ["▁", "x", "abcabc"],
    ]
    assert found == [library(vocabulary).encode(text).ids for text in ("abcabc", "abc", "xabcabc")]


@st.composite
def tables(draw: st.DrawFn) -> PieceVocabulary:
    """Merges of three characters, in any order."""
    pieces, merges = [*"▁abc"], []
    for _ in range(draw(st.integers(0, 25))):
        merge = (draw(st.sampled_from(pieces)), draw(st.sampled_from(pieces)))
        if merge not in merges and len("".join(merge)) < 9:
            merges.append(merge)
            pieces += [] if "".join(merge) in pieces else ["".join(merge)]
    return PieceVocabulary(draw(st.permutations(pieces)), draw(st.permutations(merges)))


@settings(max_examples=40, deadline=None)
@given(tables(), st.lists(st.text(alphabet="aaabbbc d", max_size=60), min_size=1, max_size=5))
def test_any_merges_are_applied_as_the_library_does(vocabulary: PieceVocabulary, texts: list[str]) -> None:
    clean = [" ".join(text.split()) for text in texts]
    assert rows(vocabulary, clean) == [library(vocabulary).encode(text).ids for text in clean]
