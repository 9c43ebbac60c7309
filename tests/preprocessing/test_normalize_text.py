"""Normalised text against `unicodedata`."""

from __future__ import annotations

import functools
import unicodedata
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.preprocessing.normalize_text import normalize

DROPPED = {"\u00ad", "\u200b", "\ufeff"}


def expected(text: str, *, lowercase: bool = False) -> str:
    """The same by Python, for text without marks in unusual order."""
    kept = "".join(
        " " if c.isspace() else "_" if c == "▁" else c
        for c in text
        if c.isspace() or (c not in DROPPED and unicodedata.category(c) != "Cc")
    )
    characters = (unicodedata.normalize("NFKC", c) for c in kept)
    parts = (unicodedata.normalize("NFKC", c.lower()) if lowercase else c for c in characters)
    return " ".join(unicodedata.normalize("NFKC", "".join(parts)).split(" ")).strip(" ")


@functools.cache
def compiled(lowercase: bool) -> Any:
    """`normalize` in a graph, as it is served."""
    function = functools.partial(normalize, lowercase=lowercase)
    return tf.function(function, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)


def normalized(texts: list[str], *, lowercase: bool = False) -> list[str]:
    return [text.decode() for text in compiled(lowercase)(tf.constant(texts, tf.string)).numpy()]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  a \t\n b\u00a0c  ", "a b c"),
        ("Cafe\u0301 ﬁn ½ ①", "Café fin 1⁄2 1"),
        ("한국어 가", "한국어 가"),
        ("so\u00adft\ufeff\u0007", "soft"),
        ("ệ", "ệ"),
        ("a▁b", "a_b"),
        ("", ""),
        ("\u3000", ""),
    ],
)
def test_by_hand(text: str, plain: str) -> None:
    assert normalized([text]) == [plain]


def test_lower_case() -> None:
    assert normalized(["STRASSE ÄÖÜ ß Σ ＡＢ"], lowercase=True) == ["strasse äöü ß σ ab"]


def test_invalid_bytes_are_replaced() -> None:
    assert normalize(tf.constant([b"a\xffb"])).numpy()[0].decode() == "a\ufffdb"


# One mark may follow a letter: only the order of several is Python's alone.
LETTERS = st.characters(exclude_categories=["Cs", "Mn", "Mc", "Me", "Cc"])
WITH_MARK = st.builds(
    lambda base, mark: base + mark, st.sampled_from("aeiouncszyAEO가"), st.sampled_from("\u0301\u0308\u030c")
)
TEXTS = st.lists(st.one_of(LETTERS, WITH_MARK), max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), st.booleans())
def test_it_is_nfkc(texts: list[str], lowercase: bool) -> None:
    singles = ["".join(unicodedata.normalize("NFKC", c) for c in text) for text in texts]
    if any(unicodedata.combining(c) for text in singles for c in unicodedata.normalize("NFC", text)):
        return
    got = normalized(texts, lowercase=lowercase)
    for text, own in zip(texts, got, strict=True):
        wanted = expected(text, lowercase=lowercase)
        assert own == " ".join(wanted.split())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=5))
def test_rows_do_not_depend_on_each_other(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    together = normalized(clean)
    assert together == [normalized([text])[0] for text in clean]
    for text in together:
        assert "  " not in text and text == text.strip(" ")
