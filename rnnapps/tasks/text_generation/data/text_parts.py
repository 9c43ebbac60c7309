"""The documents of a text source, split into training, validation and test texts; no TensorFlow is needed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.given import given_splits
from rnnapps.data.part_names import part_folders, parts_of
from rnnapps.data.sources import is_tfds, tfds_builder
from rnnapps.data.text.documents import BUILTIN, TEXT_SUFFIXES, plain_lines, read_documents, separated, tfds_texts
from rnnapps.data.text.given import given_texts
from rnnapps.data.text.records import has_records
from rnnapps.errors import DataError
from rnnapps.tasks.text_generation.data.config import TextDataConfig

__all__ = ["TextParts", "read_parts", "split_contiguously", "split_evenly"]

MINIMUM_CHARACTERS = 2
DOCUMENTS_OF_A_PART = 20
"""Whole documents that a part holds at least; longer ones are cut."""


@dataclass(frozen=True)
class TextParts:
    """The pieces of each part; in order they are one contiguous text.

    Attributes:
        train: pieces to learn from.
        validation: held out.
        test: held out; None where the source has none.
        own: the parts that the source has by itself; the others were cut off its training text.
        skipped: documents that could not be read.
        source: what a person would call the data.
        evenly: whether parts that it has not were taken from all over its documents.
    """

    train: list[str]
    validation: list[str]
    test: list[str] | None
    own: tuple[str, ...]
    skipped: tuple[BadExample, ...]
    source: str
    evenly: bool = False


def read_parts(config: TextDataConfig, given: object = None) -> TextParts:
    """Reads the source and splits it; see `read_splits`."""
    path = config.source
    many = is_tfds(path) or unpacked_source(path).is_dir() or has_records(path, config.field)
    good = GoodExamples(config.source, config, noun="documents", many=given is None and many)
    own = _given_documents(given) if given is not None else _read_documents(config, good)
    for name in ("validation", "test"):
        path = getattr(config, name)
        if path is not None:
            own[name] = read_documents(path, good, config.read_as)
    several = given is not None or not (config.source == BUILTIN or is_tfds(config.source))
    evenly = config.hold_out == "evenly" and several and len(own["train"]) > 1
    train, validation, test = _parts(config, own, evenly=evenly)
    skipped = good.finish()
    for name, documents in (("training", train), ("validation", validation), ("test", test)):
        if documents is not None:
            _require_characters(getattr(config, name, None) or config.source, name, documents)
    title = "Python documentation (pydoc_data.topics)" if config.source == BUILTIN else config.source
    return TextParts(train, validation, test, tuple(own), skipped, title, evenly)


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


def split_evenly(documents: Sequence[str], fractions: Sequence[float]) -> list[list[str]]:
    """Takes parts from all over the documents: the end of each that is long beside a part, and whole short ones.

    Args:
        documents: texts in order.
        fractions: share of the characters of every part but the first, which gets the rest.

    Returns:
        One list of pieces a part, in the order of the documents, with a blank line between them.
    """
    smallest = min((share for share in fractions if share), default=0.0) * sum(map(len, documents))
    parts: list[list[str]] = [[] for _ in range(len(fractions) + 1)]
    owed = [0.0] * len(fractions)
    for text in documents:
        if len(text) * DOCUMENTS_OF_A_PART > smallest:
            for part, pieces in zip(parts, split_contiguously([text.rstrip("\n") + "\n"], fractions), strict=True):
                part += pieces
            continue
        owed = [debt + share * len(text) for debt, share in zip(owed, fractions, strict=True)]
        most = max(range(len(owed)), key=owed.__getitem__)
        chosen = most + 1 if owed[most] >= len(text) / 2 and fractions[most] else 0
        if chosen:
            owed[most] -= len(text)
        parts[chosen].append(text)
    return [separated(part) for part in parts]


def _given_documents(given: object) -> dict[str, list[str]]:
    """The documents of each split that was given."""
    return {
        name: separated(plain_lines(text) for text in given_texts(texts, name))
        for name, texts in given_splits(given).items()
    }


def _read_documents(config: TextDataConfig, good: GoodExamples) -> dict[str, list[str]]:
    """The documents of each split that a source has of its own; all are for training where it is one text."""
    source = config.source
    if is_tfds(source):
        return _tfds_documents(source, good)
    path = unpacked_source(source)
    folders = part_folders(path, TEXT_SUFFIXES) if path.is_dir() else {}
    found = {part: str(own) for part, own in folders.items()} or {"train": source}
    return {part: read_documents(own, good, config.read_as) for part, own in found.items()}


def _tfds_documents(source: str, good: GoodExamples) -> dict[str, list[str]]:
    """The documents of the splits of a data set."""
    builder = tfds_builder(source)
    parts = parts_of(builder.info.splits, source)
    if "train" not in parts:
        problem = f"has no split train but {', '.join(sorted(builder.info.splits)) or 'none at all'}"
        raise DataError(source, problem, "use another data set")
    return {part: separated(tfds_texts(source, builder, split, good)) for part, (split,) in parts.items()}


def _parts(
    config: TextDataConfig, own: dict[str, list[str]], *, evenly: bool
) -> tuple[list[str], list[str], list[str] | None]:
    """Training, validation and test texts; those that are missing are taken from the training texts."""
    missing = [0.0 if name in own else getattr(config, f"{name}_fraction") for name in ("validation", "test")]
    train, validation, test = (split_evenly if evenly else split_contiguously)(own["train"], missing)
    return train, own.get("validation", validation), own.get("test", test if config.test_fraction else None)


def _require_characters(source: str, name: str, documents: Sequence[str]) -> None:
    """Raises DataError for a text that is too short to be learned from or scored."""
    characters = sum(map(len, documents))
    if characters < MINIMUM_CHARACTERS:
        problem = f"the {name} text has {characters} characters, at least {MINIMUM_CHARACTERS} are needed"
        raise DataError(source, problem, "give a longer text or change the fractions")
