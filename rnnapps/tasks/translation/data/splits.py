"""Sentence pairs of any source, split into training, validation and test pairs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.sources import is_tfds
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.files import placed_aligned, placed_pairs
from rnnapps.tasks.translation.data.given import given_pairs
from rnnapps.tasks.translation.data.large_pairs import LargePairs, large_pairs
from rnnapps.tasks.translation.data.lines import text_lines
from rnnapps.tasks.translation.data.pairs import Pair, PairSplits, Placed, filter_pairs
from rnnapps.tasks.translation.data.tfds import tfds_parts
from rnnapps.types import Array

__all__ = ["read_pair_splits"]

BUILTIN = "builtin"
FEWEST_DOCUMENTS, SENTENCES_OF_A_DOCUMENT = 20, 3
"""So many documents, of so many sentences on average, are held out whole."""

MOST_HELD_OUT = 100_000
"""Groups of pairs that are held out for a part, since all of them are scored."""


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
    many = None if given is not None or _is_elsewhere(config.source) else large_pairs(config, good)
    if many is not None:
        own: dict[str, list[Placed]] = {}
    elif given is None:
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
    dealt = _dealt_in_memory(own.pop("train"), shares, config) if many is None else _dealt_on_disk(many, shares, config)
    parts = dealt.parts | {name: [_turned(placed.pair, config) for placed in pairs] for name, pairs in own.items()}
    if not dealt.train:
        raise DataError(config.source, f"has no usable training pair; dropped: {dealt.dropped}", "give other pairs")
    return PairSplits(
        dealt.train,
        parts["validation"],
        parts.get("test") or None,
        "dates, times, amounts and measures (Unicode CLDR)" if config.source == BUILTIN else config.source,
        dealt.read,
        {**good.dropped, **dealt.dropped},
        skipped,
        references,
        dealt.noun,
    )


class _Dealt(NamedTuple):
    """Pairs that were dealt out.

    Attributes:
        train: those to learn from, filtered.
        dropped: reason -> number of those that were dropped for it.
        read: number of those before.
        parts: those that are held out.
        noun: what was dealt out: sentences or documents.
    """

    train: Sequence[Pair]
    dropped: dict[str, int]
    read: int
    parts: dict[str, list[Pair]]
    noun: str


def _dealt_in_memory(pairs: Sequence[Placed], shares: dict[str, float], config: PairDataConfig) -> _Dealt:
    """Deals pairs out, and filters those to learn from."""
    dealt, noun = _dealt(pairs, shares, config.source)
    parts = {name: [_turned(placed.pair, config) for placed in own] for name, own in dealt.items()}
    before = parts.pop("train")
    train, dropped = filter_pairs(before, longest=config.longest, largest_ratio=config.largest_ratio)
    return _Dealt(train, dropped, len(before), parts, noun)


def _dealt_on_disk(many: LargePairs, shares: dict[str, float], config: PairDataConfig) -> _Dealt:
    """The same of pairs on disk; those that are held out are read."""
    rows, noun = _dealt_rows(many, shares, config.source)
    before = rows.pop("train")
    train, dropped = many.filtered(before)
    return _Dealt(train, dropped, len(before), {name: list(many.pairs(own)) for name, own in rows.items()}, noun)


def _is_elsewhere(source: str) -> bool:
    """Whether pairs are of no file."""
    return source == BUILTIN or is_tfds(source)


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
    whole = _has_documents(documents, len(pairs))
    groups = dict.fromkeys(placed.document if whole else placed.pair.source for placed in pairs)
    numbers = {group: number for number, group in enumerate(groups)}
    own = np.array([numbers[placed.document if whole else placed.pair.source] for placed in pairs])
    rows, noun = _dealt_groups(own, shares, source, whole=whole)
    parts = {name: [pairs[row] for row in own_rows.tolist()] for name, own_rows in rows.items()}
    if whole:
        held_out = {placed.pair.source for name in shares for placed in parts.get(name, ())}
        parts["train"] = [placed for placed in parts["train"] if placed.pair.source not in held_out]
    return parts, noun


def _dealt_rows(many: LargePairs, shares: dict[str, float], source: str) -> tuple[dict[str, Array], str]:
    """The same of pairs on disk: the rows of each part."""
    every = np.arange(len(many.documents))
    if not any(shares.values()):
        return {"train": every}, "sentences"
    whole = _has_documents(len(np.unique(many.documents)), len(every))
    rows, noun = _dealt_groups(many.groups(of_documents=whole), shares, source, whole=whole)
    if whole:
        held_out = np.concatenate([own for name, own in rows.items() if name != "train"])
        rows["train"] = many.without_sentences_of(rows["train"], held_out)
    return rows, noun


def _has_documents(documents: int, pairs: int) -> bool:
    """Whether documents, not sentences, are held out."""
    return documents >= FEWEST_DOCUMENTS and pairs >= SENTENCES_OF_A_DOCUMENT * documents


def _dealt_groups(groups: Array, shares: dict[str, float], source: str, *, whole: bool) -> tuple[dict[str, Array], str]:
    """Deals groups of pairs out.

    Args:
        groups: number of the group of each pair, in the order of their first occurrence `(pairs,)`.
        shares: of each part that is held out.
        source: what holds the pairs.
        whole: whether they are documents, which is told.

    Returns:
        The rows of each part, and what a group is.
    """
    noun, total = "documents" if whole else "sentences", int(groups.max()) + 1
    counts = {name: min(max(1, round(total * share)), MOST_HELD_OUT) for name, share in shares.items() if share}
    if sum(counts.values()) >= total:
        problem = f"has {total} different {noun}; {sum(counts.values())} are held out, none are left to learn"
        raise DataError(source, problem, "give more pairs, or files of validation and test pairs")
    order, part = np.random.default_rng(0).permutation(total), np.zeros(total, np.int8)
    start = 0
    for number, count in enumerate(counts.values(), start=1):
        part[order[start : start + count]] = number
        start += count
    if whole:
        print(f"note: {source}: whole documents are held out, of {total:,} between empty lines", file=sys.stderr)
    return {name: np.flatnonzero(part[groups] == number) for number, name in enumerate(("train", *counts))}, noun
