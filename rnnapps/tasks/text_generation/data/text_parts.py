"""The documents of a text source, split into training, validation and test texts; no TensorFlow is needed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.given import given_splits
from rnnapps.data.part_names import part_folders, parts_of
from rnnapps.data.sources import is_tfds, tfds_builder
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.data.text.documents import (
    BUILTIN,
    TEXT_SUFFIXES,
    DocumentT,
    plain_lines,
    read_documents,
    separate,
    separated,
    tfds_texts,
)
from rnnapps.data.text.given import given_texts
from rnnapps.data.text.records import has_records
from rnnapps.errors import DataError
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.on_disk import source_bytes, stored_documents
from rnnapps.tasks.text_generation.data.stored_text import StoredPiece, StoredText

__all__ = [
    "TextParts",
    "characters",
    "contiguous_pieces",
    "even_pieces",
    "read_parts",
    "split_contiguously",
    "split_evenly",
]

MINIMUM_CHARACTERS = 2
MOST_HELD_OUT = 10_000_000
"""Characters of a part that is taken off the training text: more would take long to score, and tell hardly more."""

DOCUMENTS_OF_A_PART = 20
"""Whole documents that a part holds at least; longer ones are cut."""


@dataclass(frozen=True)
class TextParts:
    """The pieces of each part; in order they are one contiguous text.

    Attributes:
        train: pieces to learn from; on disk where the source is larger than memory.
        validation: held out.
        test: held out; None where the source has none.
        own: the parts that the source has by itself; the others were cut off its training text.
        skipped: documents that could not be read.
        source: what a person would call the data.
        evenly: whether parts that it has not were taken from all over its documents.
    """

    train: list[str] | StoredText
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
    own: dict[str, list[str] | StoredText] = {}
    own |= _given_documents(given) if given is not None else _read_documents(config, good)
    for name in ("validation", "test"):
        path = getattr(config, name)
        if path is not None:
            own[name] = read_documents(path, good, config.read_as)
    several = given is not None or not (config.source == BUILTIN or is_tfds(config.source))
    evenly = config.hold_out == "evenly" and several and _documents(own["train"]) > 1
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
    return _collected(contiguous_pieces(documents, fractions, total=sum(map(len, documents))), fractions)


def split_evenly(documents: Sequence[str], fractions: Sequence[float]) -> list[list[str]]:
    """Takes parts from all over the documents: the end of each that is long beside a part, and whole short ones.

    Args:
        documents: texts in order.
        fractions: share of the characters of every part but the first, which gets the rest.

    Returns:
        One list of pieces a part, in the order of the documents, with a blank line between them.
    """
    parts = _collected(even_pieces(documents, fractions, total=sum(map(len, documents))), fractions)
    return [separated(part) for part in parts]


def contiguous_pieces(
    documents: Iterable[DocumentT], fractions: Sequence[float], *, total: int
) -> Iterator[tuple[int, DocumentT]]:
    """Yields the number of a part and a piece of it, as `split_contiguously` finds them; `total` is of characters."""
    bounds = [0, *(int(total * (1 - sum(fractions[part:]))) for part in range(len(fractions))), total]
    start = 0
    for text in documents:
        for part, (low, high) in enumerate(pairwise(bounds)):
            if len(piece := text[max(low - start, 0) : max(high - start, 0)]):
                yield part, piece
        start += len(text)


def even_pieces(
    documents: Iterable[DocumentT], fractions: Sequence[float], *, total: int
) -> Iterator[tuple[int, DocumentT]]:
    """Yields the number of a part and a piece of it, as `split_evenly` finds them, without blank lines between them."""
    smallest = min((share for share in fractions if share), default=0.0) * total
    owed = [0.0] * len(fractions)
    for text in documents:
        if len(text) * DOCUMENTS_OF_A_PART > smallest:
            ended = text.rstrip("\n") + "\n"
            yield from contiguous_pieces([ended], fractions, total=len(ended))
            continue
        owed = [debt + share * len(text) for debt, share in zip(owed, fractions, strict=True)]
        most = max(range(len(owed)), key=owed.__getitem__)
        chosen = most + 1 if owed[most] >= len(text) / 2 and fractions[most] else 0
        if chosen:
            owed[most] -= len(text)
        yield chosen, text


def _collected(pieces: Iterable[tuple[int, DocumentT]], fractions: Sequence[float]) -> list[list[DocumentT]]:
    """The pieces of each part."""
    parts: list[list[DocumentT]] = [[] for _ in range(len(fractions) + 1)]
    for part, piece in pieces:
        parts[part].append(piece)
    return parts


def _split_stored(text: StoredText, fractions: Sequence[float], *, evenly: bool) -> tuple[StoredText, list[list[str]]]:
    """As the functions above: the first part stays on disk, and what is held out is read."""
    pieces = (even_pieces if evenly else contiguous_pieces)(text, fractions, total=len(text))
    held: list[list[StoredPiece]] = [[] for _ in fractions]

    def training() -> Iterator[StoredPiece]:
        for part, piece in pieces:
            if part:
                held[part - 1].append(piece)
            else:
                yield piece

    train = text.part(separate(training()) if evenly else training())
    return train, [[str(piece) for piece in (separated(part) if evenly else part)] for part in held]


def _given_documents(given: object) -> dict[str, list[str]]:
    """The documents of each split that was given."""
    return {
        name: separated(plain_lines(text) for text in given_texts(texts, name))
        for name, texts in given_splits(given).items()
    }


def _read_documents(config: TextDataConfig, good: GoodExamples) -> Mapping[str, list[str] | StoredText]:
    """The documents of each split that a source has of its own; all are for training where it is one text."""
    source = config.source
    if is_tfds(source):
        return _tfds_documents(source, good)
    path = unpacked_source(source)
    folders = part_folders(path, TEXT_SUFFIXES) if path.is_dir() else {}
    found = {part: str(own) for part, own in folders.items()} or {"train": source}
    return {part: _documents_of(part, own, config, good) for part, own in found.items()}


def _documents_of(part: str, source: str, config: TextDataConfig, good: GoodExamples) -> list[str] | StoredText:
    """The documents of a part: those for training stay on disk where they are larger than memory."""
    small = part != "train" or source == BUILTIN
    if small or config.keeps_in_memory(source, source_bytes(source, config.read_as)):
        return read_documents(source, good, config.read_as)
    return stored_documents(source, good, config.read_as, StoredFolders("texts", config.cache_megabytes))


def _tfds_documents(source: str, good: GoodExamples) -> dict[str, list[str]]:
    """The documents of the splits of a data set."""
    builder = tfds_builder(source)
    parts = parts_of(builder.info.splits, source)
    if "train" not in parts:
        problem = f"has no split train but {', '.join(sorted(builder.info.splits)) or 'none at all'}"
        raise DataError(source, problem, "use another data set")
    return {part: separated(tfds_texts(source, builder, split, good)) for part, (split,) in parts.items()}


def _parts(
    config: TextDataConfig, own: Mapping[str, list[str] | StoredText], *, evenly: bool
) -> tuple[list[str] | StoredText, list[str], list[str] | None]:
    """Training, validation and test texts; those that are missing are taken from the training texts."""
    most = MOST_HELD_OUT / max(characters(own["train"]), 1)
    fractions = {name: min(getattr(config, f"{name}_fraction"), most) for name in ("validation", "test")}
    missing = [0.0 if name in own else share for name, share in fractions.items()]
    train, validation, test = _split(own["train"], missing, evenly=evenly)
    held = {name: texts for name, texts in own.items() if not isinstance(texts, StoredText)}
    return train, held.get("validation", validation), held.get("test", test if config.test_fraction else None)


def _documents(texts: Sequence[str] | StoredText) -> int:
    """How many documents there are."""
    return len(texts.document_ends) if isinstance(texts, StoredText) else len(texts)


def _split(
    documents: list[str] | StoredText, fractions: Sequence[float], *, evenly: bool
) -> tuple[list[str] | StoredText, list[str], list[str]]:
    """The training texts, and the two parts that are taken from them."""
    if isinstance(documents, StoredText):
        rest, (first, second) = _split_stored(documents, fractions, evenly=evenly)
        return rest, first, second
    train, first, second = (split_evenly if evenly else split_contiguously)(documents, fractions)
    return train, first, second


def characters(documents: Sequence[str] | StoredText) -> int:
    """How many characters texts have."""
    return len(documents) if isinstance(documents, StoredText) else sum(map(len, documents))


def _require_characters(source: str, name: str, documents: Sequence[str] | StoredText) -> None:
    """Raises DataError for a text that is too short to be learned from or scored."""
    found = characters(documents)
    if found < MINIMUM_CHARACTERS:
        problem = f"the {name} text has {found} characters, at least {MINIMUM_CHARACTERS} are needed"
        raise DataError(source, problem, "give a longer text or change the fractions")
