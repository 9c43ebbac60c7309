"""Sentence pairs of TensorFlow Datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnapps.data.part_names import parts_of
from rnnapps.data.sources import tfds_builder
from rnnapps.data.text.documents import decode_text
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.files import checked_pair
from rnnapps.tasks.translation.data.pairs import Pair

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

__all__ = ["text_features", "tfds_parts"]


def tfds_parts(source: str) -> dict[str, list[Pair]]:
    """Reads the pairs of each split: "train", and "validation" and "test" where they exist; empty sides are skipped.

    Raises:
        DataError: no such data set, it holds no translations, or it has no training split.
    """
    builder = tfds_builder(source)
    keys = text_features(source, builder)
    parts = parts_of(builder.info.splits, source)
    if "train" not in parts:
        problem = f"has no split train but {', '.join(sorted(builder.info.splits)) or 'none at all'}"
        raise DataError(source, problem, "use another data set")
    return {part: _pairs(source, builder, split, keys) for part, (split,) in parts.items()}


def text_features(source: str, builder: tfds.core.DatasetBuilder) -> tuple[str, str]:
    """The names of the features that hold a sentence and its translation.

    Raises:
        DataError: there are no two such features.
    """
    import tensorflow_datasets as tfds

    features, keys = builder.info.features, builder.info.supervised_keys
    texts = [name for name, feature in features.items() if isinstance(feature, tfds.features.Text)]
    if keys is None and isinstance(features, tfds.features.Translation):
        keys = tuple(texts)
    if keys is None or len(keys) != 2 or not set(keys) <= set(texts):
        problem = f"is no data set of translations; its features are {', '.join(features)}"
        raise DataError(source, problem, "use one such as tfds:ted_hrlr_translate/de_to_en")
    return keys[0], keys[1]


def _pairs(source: str, builder: tfds.core.DatasetBuilder, split: str, keys: tuple[str, str]) -> list[Pair]:
    """The pairs of one split, in the order of its files."""
    import tensorflow_datasets as tfds

    rows = builder.as_dataset(split=split, read_config=tfds.ReadConfig(interleave_cycle_length=1))
    pairs = []
    for row, example in enumerate(rows.as_numpy_iterator()):
        texts = [decode_text(example[key], f"{source} split {split} row {row}") for key in keys]
        if all(text.strip() for text in texts):
            pairs.append(checked_pair(f"{source} split {split}", f"row {row}", *texts))
    return pairs
