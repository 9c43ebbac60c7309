"""Text split into training, validation and test parts, before windows are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.digest import digest_examples
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.text_parts import read_parts

__all__ = ["TextSplits", "joined", "read_splits"]


@dataclass(frozen=True)
class TextSplits:
    """A text, split before anything is learned from it; the strings of a split in order are one contiguous text.

    Attributes:
        train: `tf.data.Dataset` of scalar strings (UTF-8).
        validation: the same, held out.
        test: the same, or None when the source has none.
        source: what a person would call the data.
        skipped: documents that could not be read.
    """

    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset | None
    source: str
    skipped: tuple[BadExample, ...] = ()

    def digest(self) -> str:
        """A fingerprint of the training and validation text."""
        return digest_examples(self.train.as_numpy_iterator(), self.validation.as_numpy_iterator())


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
    return TextSplits(_dataset(parts.train), _dataset(parts.validation), test, parts.source, parts.skipped)


def joined(split: tf.data.Dataset) -> str:
    """Returns the whole text of a split as one string."""
    return "".join(text.decode("utf-8") for text in split.as_numpy_iterator())


def _dataset(documents: Sequence[str]) -> tf.data.Dataset:
    """Texts as raw examples, strings of UTF-8."""
    with tf.device("CPU"):
        return tf.data.Dataset.from_tensor_slices([text.encode("utf-8") for text in documents])
