"""A long text in stretches that can be cut into tokens one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tensorflow as tf

from rnnapps.tasks.text_generation.tokens.vocabulary import Texts

__all__ = ["stretches"]

SHORTEST, LONGEST = 4_096, 65_536
"""Characters."""

BORDER = re.compile(r"(?<=\S)[ \n]")
"""Where a word begins, whatever stands around."""


def stretches(texts: Texts) -> Iterator[str]:
    """The texts in pieces of a few thousand characters; each begins a word, unless a word is longer than that."""
    for text in texts.as_numpy_iterator() if isinstance(texts, tf.data.Dataset) else texts:
        whole = text.decode("utf-8") if isinstance(text, bytes) else text
        start = 0
        while start < len(whole):
            border = BORDER.search(whole, start + SHORTEST, start + LONGEST)
            end = border.start() if border else min(start + LONGEST, len(whole))
            yield whole[start:end]
            start = end
