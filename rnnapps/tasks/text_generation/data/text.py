"""Text split into training, validation and test parts, before windows are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.digest import digest_examples
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.text_parts import read_parts

__all__ = ["TextSplits", "joined", "read_splits"]


@dataclass(frozen=True)
class TextSplits:
    """A text, split before anything is learned from it; the strings of a split in order are one contiguous text.

    Attributes:
        train: `tf.data.Dataset` of scalar strings (UTF-8), or a text on disk that is larger than memory.
        validation: the same in memory, held out.
        test: the same, or None when the source has none.
        source: what a person would call the data.
        skipped: documents that could not be read.
    """

    train: tf.data.Dataset | StoredText
    validation: tf.data.Dataset
    test: tf.data.Dataset | None
    source: str
    skipped: tuple[BadExample, ...] = ()

    def digest(self) -> str:
        """A fingerprint of the training and validation text."""
        train, held_out = self.train, self.validation.as_numpy_iterator
        if not isinstance(train, StoredText):
            return digest_examples(train.as_numpy_iterator(), held_out())
        key = train.key("digest", digest_examples(held_out()))
        return train.remember(key, lambda: digest_examples((piece.blocks() for piece in train), held_out()))


def read_splits(config: TextDataConfig, given: object = None) -> TextSplits:
    """Reads the source and splits it.

    Args:
        config: the settings of the data.
        given: texts from Python instead of those of the source: an iterable of them, or a mapping of splits of which
            each is a text or an iterable of texts.

    Returns:
        Datasets of scalar strings (UTF-8); the strings of a split in order are one contiguous text.

    Raises:
        DataError: a source is missing, not text, empty or too short.
    """
    parts = read_parts(config, given)
    test = None if parts.test is None else _dataset(parts.test)
    train = parts.train if isinstance(parts.train, StoredText) else _dataset(parts.train)
    return TextSplits(train, _dataset(parts.validation), test, parts.source, parts.skipped)


def joined(split: tf.data.Dataset | StoredText, *, most: int | None = None) -> str:
    """Returns the whole text of a split as one string, or so many characters at its end."""
    if isinstance(split, StoredText):
        return split.text(0 if most is None else max(len(split) - most, 0), len(split))
    whole = "".join(text.decode("utf-8") for text in split.as_numpy_iterator())
    return whole if most is None else whole[-most:]


def _dataset(documents: Sequence[str]) -> tf.data.Dataset:
    """Texts as raw examples, strings of UTF-8."""
    with tf.device("CPU"):
        return tf.data.Dataset.from_tensor_slices([text.encode("utf-8") for text in documents])
