"""Text split into training, validation and test parts, before windows are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import tensorflow as tf

from rnnapps.data.digest import digest_examples
from rnnapps.data.sources import is_tfds, tfds_builder
from rnnapps.data.text.documents import BUILTIN, read_documents, separated, tfds_texts
from rnnapps.errors import DataError
from rnnapps.tasks.text_generation.data.config import TextDataConfig

__all__ = ["TextSplits", "joined", "read_splits", "split_contiguously"]

MINIMUM_CHARACTERS = 2


@dataclass(frozen=True)
class TextSplits:
    """A text, split before anything is learned from it; the strings of a split in order are one contiguous text.

    Attributes:
        train: `tf.data.Dataset` of scalar strings (UTF-8).
        validation: the same, held out.
        test: the same, or None when the source has none.
        source: what a person would call the data.
    """

    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset | None
    source: str

    def digest(self) -> str:
        """A fingerprint of the training and validation text."""
        return digest_examples(self.train.as_numpy_iterator(), self.validation.as_numpy_iterator())


def read_splits(config: TextDataConfig) -> TextSplits:
    """Reads the source and splits it.

    Returns:
        Datasets of scalar strings (UTF-8); the strings of a split in order are one contiguous text.

    Raises:
        DataError: a source is missing, not text, empty or too short.
    """
    parts = _tfds_parts(config) if is_tfds(config.source) else _fraction_parts(config)
    train, validation, test = parts
    if config.test is not None:
        test = read_documents(config.test)
    for name, documents in (("training", train), ("validation", validation), ("test", test)):
        if documents is not None:
            source = config.test if name == "test" and config.test is not None else config.source
            _require_characters(source, name, documents)
    return TextSplits(_dataset(train), _dataset(validation), None if test is None else _dataset(test), _title(config))


def split_contiguously(documents: Sequence[str], fractions: Sequence[float]) -> list[list[str]]:
    """Cuts the concatenation of documents into contiguous parts.

    Args:
        documents: texts in order.
        fractions: share of the characters of every part but the first, which gets the rest.

    Returns:
        One list of non-empty pieces a part; all pieces in order are the documents again.
    """
    total = sum(map(len, documents))
    bounds = [0, *(int(total * (1 - sum(fractions[part:]))) for part in range(len(fractions))), total]
    starts = list(accumulate(map(len, documents), initial=0))
    return [
        [
            piece
            for start, text in zip(starts, documents, strict=False)
            if (piece := text[max(low - start, 0) : max(high - start, 0)])
        ]
        for low, high in pairwise(bounds)
    ]


def joined(split: tf.data.Dataset) -> str:
    """Returns the whole text of a split as one string."""
    return "".join(text.decode("utf-8") for text in split.as_numpy_iterator())


def _fraction_parts(config: TextDataConfig) -> tuple[list[str], list[str], list[str] | None]:
    """Training, validation and test texts of a source that is one text, cut by the configured shares."""
    documents = read_documents(config.source)
    parts = split_contiguously(documents, [config.validation_fraction, config.test_fraction])
    return parts[0], parts[1], parts[2] if config.test_fraction else None


def _tfds_parts(config: TextDataConfig) -> tuple[list[str], list[str], list[str] | None]:
    """The splits of a data set; those that it lacks are cut off the end of the training texts."""
    builder = tfds_builder(config.source)
    present = set(builder.info.splits)
    if "train" not in present:
        problem = f"has no split train but {', '.join(sorted(present)) or 'none at all'}"
        raise DataError(config.source, problem, "use another data set")
    own = {
        name: separated(tfds_texts(config.source, builder, name))
        for name in ("train", "validation", "test")
        if name in present
    }
    missing = [
        config.validation_fraction if "validation" not in own else 0.0,
        config.test_fraction if "test" not in own else 0.0,
    ]
    train, validation, test = split_contiguously(own["train"], missing)
    return train, own.get("validation", validation), own.get("test", test or None)


def _require_characters(source: str, name: str, documents: Sequence[str]) -> None:
    """Raises DataError for a text that is too short to be learned from or scored."""
    characters = sum(map(len, documents))
    if characters < MINIMUM_CHARACTERS:
        problem = f"the {name} text has {characters} characters, at least {MINIMUM_CHARACTERS} are needed"
        raise DataError(source, problem, "give a longer text or change the fractions")


def _dataset(documents: Sequence[str]) -> tf.data.Dataset:
    """Texts as raw examples, strings of UTF-8."""
    with tf.device("CPU"):
        return tf.data.Dataset.from_tensor_slices([text.encode("utf-8") for text in documents])


def _title(config: TextDataConfig) -> str:
    return "Python documentation (pydoc_data.topics)" if config.source == BUILTIN else config.source
