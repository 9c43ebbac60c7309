"""Sentence pairs: read, checked, filtered and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.data.pairs.config import PairDataConfig
from rnnapps.data.sources import is_tfds, read_bytes, tfds_builder
from rnnapps.data.text.documents import decode_text
from rnnapps.errors import DataError

__all__ = ["Pair", "PairSplits", "filter_pairs", "pair_dataset", "read_aligned", "read_pair_splits", "read_tab_file"]

BUILTIN = "builtin"
MAXIMUM_BYTES = 1 << 28
LONGEST_LINE = 20_000
"""Characters of the longest sentence that is accepted."""
SHORT = 20
"""Up to this many characters the ratio of lengths says nothing."""


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


@dataclass(frozen=True)
class PairSplits:
    """Pairs, split before anything is learned from them.

    Attributes:
        train: filtered.
        validation: as they were.
        test: as they were; None where there are none.
        name: what a person would call the data.
        read: number of training pairs before the filter.
        dropped: reason -> number of training pairs that were dropped for it.
    """

    train: Sequence[Pair]
    validation: Sequence[Pair]
    test: Sequence[Pair] | None
    name: str
    read: int
    dropped: dict[str, int] = field(default_factory=dict)


def read_pair_splits(config: PairDataConfig) -> PairSplits:
    """Reads all pairs and splits them.

    Where no file holds validation or test pairs, they are taken from the training pairs; all pairs of one source
    sentence then go into the same part.

    Raises:
        DataError: a source is missing, damaged, or has too few pairs.
    """
    own = _tfds_parts(config) if is_tfds(config.source) else {"train": _read(config.source, config.target)}
    for name in ("validation", "test"):
        path = getattr(config, name)
        if path is not None:
            own[name] = _read(path, getattr(config, f"{name}_target"))
    if config.reverse:
        own = {name: [Pair(pair.target, pair.source) for pair in pairs] for name, pairs in own.items()}
    shares = {name: 0.0 if name in own else getattr(config, f"{name}_fraction") for name in ("validation", "test")}
    dealt = _dealt(own.pop("train"), shares, config.source)
    parts: dict[str, Sequence[Pair]] = {**dealt, **own}
    train, dropped = filter_pairs(parts["train"], longest=config.longest, largest_ratio=config.largest_ratio)
    if not train:
        raise DataError(config.source, f"has no usable training pair; dropped: {dropped}", "give other pairs")
    name = "dates, times, amounts and measures (Unicode CLDR)" if config.source == BUILTIN else config.source
    test = parts.get("test") or None
    return PairSplits(train, parts["validation"], test, name, len(parts["train"]), dropped)


def pair_dataset(pairs: Sequence[Pair]) -> tf.data.Dataset:
    """Raw examples {"source", "target"}: strings."""
    with tf.device("CPU"):
        return tf.data.Dataset.from_tensor_slices(
            {
                "source": [pair.source.encode() for pair in pairs],
                "target": [pair.target.encode() for pair in pairs],
            }
        )


def filter_pairs(pairs: Sequence[Pair], *, longest: int, largest_ratio: float) -> tuple[list[Pair], dict[str, int]]:
    """Drops pairs that teach nothing.

    Args:
        pairs: what was read.
        longest: the most characters of a side.
        largest_ratio: the most that one side may be longer than the other, where it has more than 20 characters.

    Returns:
        The pairs that stay, and the number dropped for each reason.
    """
    reasons = {
        "repeats an earlier pair": 0,
        f"longer than {longest:,} characters": 0,
        f"one side over {largest_ratio:g} times as long": 0,
    }
    repeated, too_long, uneven = reasons
    kept: dict[Pair, None] = {}
    for pair in pairs:
        short, long = sorted(map(len, pair))
        if pair in kept:
            reasons[repeated] += 1
        elif long > longest:
            reasons[too_long] += 1
        elif long > SHORT and long > largest_ratio * short:
            reasons[uneven] += 1
        else:
            kept[pair] = None
    return list(kept), {reason: count for reason, count in reasons.items() if count}


def read_tab_file(path: str | Path) -> list[Pair]:
    """Reads lines of source TAB target; empty lines are skipped.

    Raises:
        DataError: the file is missing, not UTF-8, or a line is not two sentences, with its number.
    """
    pairs = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        parts = line.split("\t")
        if len(parts) != 2:
            problem = f"line {number} has {len(parts)} columns; expected 2: a sentence, a tab, its translation"
            raise DataError(path, problem, "write each pair on a line of its own, without tabs in sentences")
        pairs.append(_checked(path, number, *parts))
    return _not_empty(path, pairs)


def read_aligned(source: str | Path, target: str | Path) -> list[Pair]:
    """Reads two files of which the same lines belong together; lines empty in both are skipped.

    Raises:
        DataError: a file is missing or not UTF-8, or they differ in their number of lines, or a sentence is missing.
    """
    lines = [_lines(path) for path in (source, target)]
    if len(lines[0]) != len(lines[1]):
        problem = f"has {len(lines[1]):,} lines, but {source} has {len(lines[0]):,}"
        raise DataError(target, problem, "the same lines of both files must belong together")
    pairs = [
        _checked(target, number, *both)
        for number, both in enumerate(zip_longest(*lines), start=1)
        if both[0].strip() or both[1].strip()
    ]
    return _not_empty(source, pairs)


def _read(source: str, target: str | None) -> list[Pair]:
    if source == BUILTIN:
        from rnnapps.data.pairs.phrases import builtin_pairs

        return builtin_pairs()
    return read_tab_file(source) if target is None else read_aligned(source, target)


def _lines(path: str | Path) -> list[str]:
    """The lines of a text file; only a line feed ends a line, other separators belong to sentences."""
    text = decode_text(read_bytes(Path(path), maximum_bytes=MAXIMUM_BYTES), path)
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _checked(path: str | Path, number: int, source: str, target: str) -> Pair:
    for name, sentence in (("sentence", source), ("translation", target)):
        if not sentence.strip():
            raise DataError(path, f"line {number} has no {name}", "give both sides, or remove the line")
        if len(sentence) > LONGEST_LINE:
            problem = f"line {number} has a {name} of {len(sentence):,} characters; at most {LONGEST_LINE:,} are read"
            raise DataError(path, problem, "cut it into sentences")
    return Pair(source.strip(), target.strip())


def _not_empty(path: str | Path, pairs: list[Pair]) -> list[Pair]:
    if not pairs:
        raise DataError(path, "holds no sentence pair", "give lines of a sentence, a tab and its translation")
    return pairs


def _dealt(pairs: Sequence[Pair], shares: dict[str, float], source: str) -> dict[str, list[Pair]]:
    """Deals source sentences out at random, the same way every time."""
    if not any(shares.values()):
        return {"train": list(pairs)}
    sentences = list(dict.fromkeys(pair.source for pair in pairs))
    counts = {name: max(1, round(len(sentences) * share)) for name, share in shares.items() if share}
    if sum(counts.values()) >= len(sentences):
        problem = (
            f"has {len(sentences)} different sentences; {sum(counts.values())} are held out, none are left to learn"
        )
        raise DataError(source, problem, "give more pairs, or files of validation and test pairs")
    order = np.random.default_rng(0).permutation(len(sentences))
    held_out: dict[str, str] = {}
    start = 0
    for name, count in counts.items():
        held_out |= {sentences[place]: name for place in order[start : start + count]}
        start += count
    parts: dict[str, list[Pair]] = {name: [] for name in ("train", *counts)}
    for pair in pairs:
        parts[held_out.get(pair.source, "train")].append(pair)
    return parts


def _tfds_parts(config: PairDataConfig) -> dict[str, list[Pair]]:
    builder = tfds_builder(config.source)
    keys = _tfds_keys(config.source, builder)
    found = {name: _tfds_pairs(config.source, builder, name, keys) for name in builder.info.splits}
    if "train" not in found:
        problem = f"has no split train but {', '.join(sorted(found)) or 'none at all'}"
        raise DataError(config.source, problem, "use another data set")
    return {name: pairs for name, pairs in found.items() if name in ("train", "validation", "test")}


def _tfds_keys(source: str, builder: Any) -> tuple[str, str]:
    """The features that hold a sentence and its translation."""
    import tensorflow_datasets as tfds

    features, keys = builder.info.features, builder.info.supervised_keys
    texts = [name for name, feature in features.items() if isinstance(feature, tfds.features.Text)]
    if keys is None and isinstance(features, tfds.features.Translation):
        keys = tuple(texts)
    if keys is None or len(keys) != 2 or not set(keys) <= set(texts):
        problem = f"is no data set of translations; its features are {', '.join(features)}"
        raise DataError(source, problem, "use one such as tfds:ted_hrlr_translate/de_to_en")
    return keys[0], keys[1]


def _tfds_pairs(source: str, builder: Any, split: str, keys: tuple[str, str]) -> list[Pair]:
    import tensorflow_datasets as tfds

    rows = builder.as_dataset(split=split, read_config=tfds.ReadConfig(interleave_cycle_length=1))
    pairs = []
    for row, example in enumerate(rows.as_numpy_iterator()):
        texts = [decode_text(example[key], f"{source} split {split} row {row}") for key in keys]
        if all(text.strip() for text in texts):
            pairs.append(_checked(f"{source} split {split}", row, *texts))
    return pairs
