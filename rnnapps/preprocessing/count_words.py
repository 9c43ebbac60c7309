"""How often each word of texts occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice

import tensorflow as tf

from rnnapps.preprocessing.split_words import Words
from rnnapps.types import Tensor

__all__ = ["count_words"]

CHUNK = 2048


def count_words(split: Callable[[Tensor], Words], texts: Iterable[str]) -> Counter[str]:
    """How often each word occurs.

    Args:
        split: splits strings `(batch,)` into words.
        texts: what is split.
    """
    counts: Counter[str] = Counter()
    left = iter(texts)
    while chunk := list(islice(left, CHUNK)):
        words = split(tf.constant(chunk))
        points = tf.RaggedTensor.from_value_rowids(words.points, tf.cast(words.words, tf.int64))
        counts.update(word.decode() for word in tf.strings.unicode_encode(points, "UTF-8").numpy())
    return counts
