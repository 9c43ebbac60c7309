"""Sentence pairs of any source, split into training, validation and test pairs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.sources import is_tfds
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.files import placed_aligned, placed_pairs
from rnnapps.tasks.translation.data.given import given_pairs
from rnnapps.tasks.translation.data.lines import text_lines
from rnnapps.tasks.translation.data.pairs import Pair, PairSplits, Placed, filter_pairs
from rnnapps.tasks.translation.data.tfds import tfds_parts

__all__ = ["read_pair_splits"]

BUILTIN = "builtin"
FEWEST_DOCUMENTS, SENTENCES_OF_A_DOCUMENT = 20, 3
"""So many documents, of so many sentences on average, are held out whole."""


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
    if given is None:
        own = _own_pairs(config, good)
    else:
        own = {name: [Placed(pair) for pair in pairs] for name, pairs in given_pairs(given).items()}
    for name in ("validation", "test"):
        path = getattr(config, name)
        if path is not None:
            own[name] = _read(path, getattr(config, f"{name}_target"), good, config)
    skipped = good.finish()
    references = _references(config, own.get("test", []))
    shares = {name: 0.0 if name in own else getattr(config, f"{name}_fraction") for name in ("validation", "test")}
    dealt, held_out = _dealt(own.pop("train"), shares, config.source)
    parts = {name: [_turned(placed.pair, config) for placed in pairs] for name, pairs in {**dealt, **own}.items()}
    train, dropped = filter_pairs(parts["train"], longest=config.longest, largest_ratio=config.largest_ratio)
    if not train:
        raise DataError(config.source, f"has no usable training pair; dropped: {dropped}", "give other pairs")
    return PairSplits(
        train,
        parts["validation"],
        parts.get("test") or None,
        "dates, times, amounts and measures (Unicode CLDR)" if config.source == BUILTIN else config.source,
        len(parts["train"]),
        {**good.dropped, **dropped},
        skipped,
        references,
        held_out,
    )


def _turned(pair: Pair, config: PairDataConfig) -> Pair:
    """A pair in the direction of translation."""
    return Pair(pair.target, pair.source) if config.reverse else pair


def _own_pairs(config: PairDataConfig, good: GoodExamples) -> dict[str, list[Placed]]:
    """The pairs of each split that the source has of its own; all are for training where it is no data set."""
    if is_tfds(config.source):
        return {name: [Placed(pair) for pair in pairs] for name, pairs in tfds_parts(config.source).items()}
    return {"train": _read(config.source, config.target, good, config)}


def _read(source: str, target: str | None, good: GoodExamples, config: PairDataConfig) -> list[Placed]:
    """The pairs of one source: built-in, a file of both sides, or two aligned files."""
    if source == BUILTIN:
        from rnnapps.tasks.translation.data.phrases import builtin_pairs

        return [Placed(pair) for pair in builtin_pairs()]
    if target is not None:
        return placed_aligned(source, target, good, most=config.most_lines)
    return placed_pairs(source, good, columns=config.columns, most=config.most_lines)


def _references(config: PairDataConfig, test: Sequence[Placed]) -> tuple[tuple[str, ...], ...]:
    """Further translations of each test sentence, by its line."""
    if not config.test_references:
        return ()
    files = [[line.text.strip() for line in text_lines(path)] for path in config.test_references]
    longest = max(placed.line for placed in test)
    for path, lines in zip(config.test_references, files, strict=True):
        if len(lines) < longest:
            problem = f"has {len(lines):,} lines, but {config.test} has {longest:,}"
            raise DataError(path, problem, "the same lines of both files must belong together")
    return tuple(tuple(filter(None, (lines[placed.line - 1] for lines in files))) for placed in test)


def _dealt(pairs: Sequence[Placed], shares: dict[str, float], source: str) -> tuple[dict[str, list[Placed]], str]:
    """Deals source sentences, or whole documents where there are some, out at random, the same way every time.

    Returns:
        The pairs of each part, and what was dealt out: sentences or documents.
    """
    documents = len({placed.document for placed in pairs})
    if not any(shares.values()):
        return {"train": list(pairs)}, "sentences"
    if documents >= FEWEST_DOCUMENTS and len(pairs) >= SENTENCES_OF_A_DOCUMENT * documents:
        parts = _dealt_by(pairs, shares, source, lambda placed: placed.document, noun="documents")
        held_out = {placed.pair.source for name in shares for placed in parts.get(name, ())}
        known = [placed for placed in parts["train"] if placed.pair.source not in held_out]
        print(f"note: {source}: whole documents are held out, of {documents:,} between empty lines", file=sys.stderr)
        return {**parts, "train": known}, "documents"
    return _dealt_by(pairs, shares, source, lambda placed: placed.pair.source, noun="sentences"), "sentences"


def _dealt_by(
    pairs: Sequence[Placed], shares: dict[str, float], source: str, group: Callable[[Placed], Hashable], *, noun: str
) -> dict[str, list[Placed]]:
    """Deals groups of pairs out."""
    groups = list(dict.fromkeys(map(group, pairs)))
    counts = {name: max(1, round(len(groups) * share)) for name, share in shares.items() if share}
    if sum(counts.values()) >= len(groups):
        problem = f"has {len(groups)} different {noun}; {sum(counts.values())} are held out, none are left to learn"
        raise DataError(source, problem, "give more pairs, or files of validation and test pairs")
    order = np.random.default_rng(0).permutation(len(groups))
    held_out: dict[Hashable, str] = {}
    start = 0
    for name, count in counts.items():
        held_out |= {groups[number]: name for number in order[start : start + count]}
        start += count
    parts: dict[str, list[Placed]] = {name: [] for name in ("train", *counts)}
    for placed in pairs:
        parts[held_out.get(group(placed), "train")].append(placed)
    return parts
