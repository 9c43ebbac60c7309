"""Sentence pairs of any source, split into training, validation and test pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.sources import is_tfds
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.files import read_aligned, read_tab_file
from rnnapps.tasks.translation.data.given import given_pairs
from rnnapps.tasks.translation.data.pairs import Pair, PairSplits, filter_pairs
from rnnapps.tasks.translation.data.tfds import tfds_parts

__all__ = ["read_pair_splits"]

BUILTIN = "builtin"


def read_pair_splits(config: PairDataConfig, given: object = None) -> PairSplits:
    """Reads all pairs and splits them.

    Args:
        config: the settings of the data.
        given: pairs from Python instead of those of the source and its translations: pairs of texts, a frame of two
            columns, or a mapping of splits of which each is either.

    Where no file holds validation or test pairs, they are taken from the training pairs; all pairs of one source
    sentence then go into the same part.

    Raises:
        DataError: a source is missing, damaged, or has too few pairs.
    """
    good = GoodExamples(config.source, config, noun="lines")
    own = _own_pairs(config, good) if given is None else given_pairs(given)
    for name in ("validation", "test"):
        path = getattr(config, name)
        if path is not None:
            own[name] = _read(path, getattr(config, f"{name}_target"), good, config.columns)
    skipped = good.finish()
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
    return PairSplits(train, parts["validation"], test, name, len(parts["train"]), {**good.dropped, **dropped}, skipped)


def _own_pairs(config: PairDataConfig, good: GoodExamples) -> dict[str, list[Pair]]:
    """The pairs of each split that the source has of its own; all are for training where it is no data set."""
    if is_tfds(config.source):
        return tfds_parts(config.source)
    return {"train": _read(config.source, config.target, good, config.columns)}


def _read(source: str, target: str | None, good: GoodExamples, columns: Sequence[str | int]) -> list[Pair]:
    """The pairs of one source: built-in, a file of both sides, or two aligned files."""
    if source == BUILTIN:
        from rnnapps.tasks.translation.data.phrases import builtin_pairs

        return builtin_pairs()
    return read_tab_file(source, good, columns=columns) if target is None else read_aligned(source, target, good)


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
        held_out |= {sentences[number]: name for number in order[start : start + count]}
        start += count
    parts: dict[str, list[Pair]] = {name: [] for name in ("train", *counts)}
    for pair in pairs:
        parts[held_out.get(pair.source, "train")].append(pair)
    return parts
