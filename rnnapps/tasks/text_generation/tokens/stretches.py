"""A long text in stretches that can be cut into tokens one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tensorflow as tf

from rnnapps.tasks.text_generation.data.stored_text import StoredPiece, StoredText
from rnnapps.tasks.text_generation.tokens.vocabulary import Texts

__all__ = ["learned_stretches", "stretches"]

SHORTEST, MOSTLY, LONGEST = 4_096, 5_120, 65_536
"""Characters."""

MOST_LEARNED = 500_000_000
"""Characters of a text on disk from which words are learned: more would take hours, and hardly change them."""

BORDER = re.compile(r"(?<=\S)[ \n]")
"""Where a word begins, whatever stands around."""


def stretches(texts: Texts | StoredText) -> Iterator[str]:
    """The texts in pieces of a few thousand characters; each begins a word, unless a word is longer than that."""
    if isinstance(texts, StoredText):
        for piece in texts:
            yield from _stored_stretches(piece)
        return
    for text in texts.as_numpy_iterator() if isinstance(texts, tf.data.Dataset) else texts:
        whole = text.decode("utf-8") if isinstance(text, bytes) else text
        start = 0
        while start < len(whole):
            border = BORDER.search(whole, start + SHORTEST, start + LONGEST)
            end = border.start() if border else min(start + LONGEST, len(whole))
            yield whole[start:end]
            start = end


def _stored_stretches(whole: StoredPiece) -> Iterator[str]:
    """The same of a document on disk, of which no more is read than is needed."""
    start = 0
    while start < len(whole):
        text = str(whole[start : start + MOSTLY])
        border = BORDER.search(text, SHORTEST)
        if border is None and start + MOSTLY < len(whole):
            text = str(whole[start : start + LONGEST])
            border = BORDER.search(text, SHORTEST)
        end = border.start() if border else len(text)
        yield text[:end]
        start += end


def learned_stretches(texts: Texts | StoredText) -> Iterator[str]:
    """What a vocabulary is learned from: all stretches; of a text on disk that is very long, evenly spread ones."""
    if isinstance(texts, StoredText) and len(texts) > MOST_LEARNED:
        texts = texts.passages(MOST_LEARNED // LONGEST, LONGEST)
    yield from stretches(texts)
