"""Small vocabularies of each kind, and the same ones in the library `tokenizers`."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest
import tensorflow as tf
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from rnnapps.preprocessing.fit_pieces import fit_pieces
from rnnapps.preprocessing.normalize_text import normalize
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import SPECIAL, UNKNOWN
from rnnapps.preprocessing.split_words import ISOLATED, LONGEST_WORD

__all__ = [
    "CHARACTERS",
    "KNOWN",
    "SUBWORDS",
    "TEXTS",
    "WORDPIECES",
    "both_kinds",
    "compiled",
    "library",
    "normal",
    "rows",
]

TEXTS = [
    "Der Hund läuft über die Wiese, nicht wahr?",
    "Ein kleiner Hund und ein großer Hund spielen auf der Straße.",
    "Straßenbahnhaltestelle 12: 3,50 € (ermäßigt)",
    "die Hunde laufen; der Läufer läuft weiter über Wiesen.",
    "Grüße aus Zürich! Größer, kleiner, weiter - immer weiter.",
]

SUBWORDS, WORDPIECES = (fit_pieces(TEXTS * 3, tokens=kind, size=400) for kind in ("subwords", "wordpieces"))
CHARACTERS = fit_pieces(TEXTS, tokens="characters", size=100)
both_kinds = pytest.mark.parametrize("vocabulary", [SUBWORDS, WORDPIECES], ids=["subwords", "wordpieces"])


@functools.cache
def library(vocabulary: PieceVocabulary) -> Tokenizer:
    """The same vocabulary in the library `tokenizers`."""
    names = {name: number for number, name in enumerate(vocabulary.names)}
    unknown = SPECIAL[UNKNOWN]
    model: Any
    if vocabulary.merges is None:
        model = models.WordPiece(names, unk_token=unknown, max_input_chars_per_word=LONGEST_WORD)
    else:
        model = models.BPE(names, vocabulary.merges, unk_token=unknown, fuse_unk=True)
    tokenizer = Tokenizer(model)
    alone = pre_tokenizers.Split(Regex("[" + re.escape(ISOLATED) + "]"), "isolated")
    shortened = pre_tokenizers.Split(Regex(f".{{{LONGEST_WORD}}}"), "isolated")
    signs = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([signs, alone, shortened])
    return tokenizer


@functools.cache
def compiled(vocabulary: PieceVocabulary, method: str = "encode") -> Any:
    """A method in a graph, as it is served."""
    return tf.function(
        getattr(vocabulary, method), input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False
    )


def rows(vocabulary: PieceVocabulary, texts: list[str], *, in_graph: bool = False) -> list[list[int]]:
    """Ids of each text."""
    encode = compiled(vocabulary) if in_graph else vocabulary.encode
    ids, lengths = encode(tf.constant(texts, tf.string))
    return [row[:length].tolist() for row, length in zip(ids.numpy(), lengths.numpy(), strict=True)]


normalized = tf.function(normalize, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)


def normal(text: str) -> str:
    """The text as `encode` reads it."""
    return str(normalized(tf.constant([text])).numpy()[0].decode())


KNOWN = "".join(sorted(set("".join(TEXTS))))
