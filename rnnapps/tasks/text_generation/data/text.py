"""Text split into training, validation and test parts, before windows are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import tensorflow as tf

from rnnapps.data.digest import digest_examples
from rnnapps.data.given import given_splits
from rnnapps.data.part_names import part_folders, parts_of
from rnnapps.data.sources import is_tfds, tfds_builder
from rnnapps.data.text.documents import BUILTIN, TEXT_SUFFIXES, plain_lines, read_documents, separated, tfds_texts
from rnnapps.data.text.given import given_texts
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
    own = _given_documents(given) if given is not None else _read_documents(config.source)
    train, validation, test = _parts(config, own)
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


def _given_documents(given: object) -> dict[str, list[str]]:
    """The documents of each split that was given."""
    return {
        name: separated(plain_lines(text) for text in given_texts(texts, name))
        for name, texts in given_splits(given).items()
    }


def _read_documents(source: str) -> dict[str, list[str]]:
    """The documents of each split that a source has of its own; all are for training where it is one text."""
    if is_tfds(source):
        return _tfds_documents(source)
    folders = part_folders(Path(source), TEXT_SUFFIXES) if Path(source).is_dir() else {}
    return {part: read_documents(str(folder)) for part, folder in folders.items()} or {"train": read_documents(source)}


def _tfds_documents(source: str) -> dict[str, list[str]]:
    """The documents of the splits of a data set."""
    builder = tfds_builder(source)
    parts = parts_of(builder.info.splits, source)
    if "train" not in parts:
        problem = f"has no split train but {', '.join(sorted(builder.info.splits)) or 'none at all'}"
        raise DataError(source, problem, "use another data set")
    return {part: separated(tfds_texts(source, builder, split)) for part, (split,) in parts.items()}


def _parts(config: TextDataConfig, own: dict[str, list[str]]) -> tuple[list[str], list[str], list[str] | None]:
    """Training, validation and test texts; those that are missing are cut off the end of the training texts."""
    missing = [0.0 if name in own else getattr(config, f"{name}_fraction") for name in ("validation", "test")]
    train, validation, test = split_contiguously(own["train"], missing)
    return train, own.get("validation", validation), own.get("test", test if config.test_fraction else None)


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
