"""What turns sentence pairs into ids and back: two vocabularies, and what is copied; and the weights they index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rnnapps.preprocessing.fit_pieces import fit_pieces, grow_pieces
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import UNKNOWN
from rnnapps.tasks.translation.copied_spans import SYMBOLS, CopiedSpans
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.pairs import Pair
from rnnapps.tasks.translation.fit_copies import fit_copies
from rnnapps.tasks.translation.span_pieces import SpanPieces
from rnnapps.types import Tensor

__all__ = ["PairVocabularies", "Sentences", "shared_texts", "symbols_among", "vocabulary_axes", "with_spans"]

CHUNK = 2048


class Sentences(NamedTuple):
    """Sentences as a network reads them.

    Attributes:
        ids: int32 `(batch, places)`, 0 behind an end.
        lengths: int32 `(batch,)`.
        texts: strings `(batch, places)`, what each place stands for.
        spans: strings `(batch, symbols)`, what each symbol stands for, "" for none; None where nothing is copied.
    """

    ids: Tensor
    lengths: Tensor
    texts: Tensor
    spans: Tensor | None


class PairVocabularies:
    """Source and target vocabulary, and what is copied: the preprocessor of translation.

    Args:
        source: pieces of the sentences that are read.
        target: pieces of the translations.
        copies: what is hidden from the network; None hides nothing. Both sides are then `SpanPieces`.
    """

    def __init__(self, source: PieceVocabulary, target: PieceVocabulary, copies: CopiedSpans | None = None) -> None:
        self.source, self.target, self.copies = source, target, copies

    @classmethod
    def fit(cls, config: PairDataConfig, pairs: Sequence[Pair]) -> PairVocabularies:
        """Learns all from training pairs."""
        copies = fit_copies(config.copied, pairs) if config.copied else None
        sizes = (config.source_vocabulary, config.target_vocabulary)
        source, target = (
            fit_pieces(_seen(copies, pairs, side), tokens=config.tokens, size=size, lowercase=config.lowercase)
            for side, size in enumerate(sizes)
        )
        if copies is None:
            return cls(source, target)
        return cls(SpanPieces.of(source), SpanPieces.of(target), copies)

    def grow(self, config: PairDataConfig, pairs: Sequence[Pair]) -> PairVocabularies:
        """Adds what new training pairs need; what is copied stays."""
        source, target = (
            grow_pieces(old, _seen(self.copies, pairs, side), most=config.grow_tokens)
            for side, old in enumerate((self.source, self.target))
        )
        return PairVocabularies(source, target, self.copies)

    def read(self, sentences: Tensor) -> Sentences:
        """Sentences `(batch,)` as the network reads them, in graph; their spans are copied."""
        masked = (sentences, None) if self.copies is None else self.copies.mask(sentences)
        return _cut(self.source, *masked)

    def read_both(self, sentences: Tensor, translations: Tensor) -> tuple[Sentences, Sentences]:
        """Sentences and given translations of them, each `(batch,)`, in graph."""
        if self.copies is None:
            return _cut(self.source, sentences, None), _cut(self.target, translations, None)
        source, hidden = self.copies.mask_both(sentences, translations)
        return _cut(self.source, *source), _cut(self.target, hidden, source.spans)

    def write(self, ids: Tensor, lengths: Tensor, unknown: Tensor, spans: Tensor | None) -> Tensor:
        """Texts `(batch,)` of ids `(batch, places)` with what is written for unknown ones, strings of that shape."""
        symbols = symbols_among(self.target, ids)
        return self.target.decode(
            tf.where(symbols, UNKNOWN, ids), lengths, with_spans(self.target, ids, unknown, spans)
        )

    def save(self, folder: str | Path) -> None:
        """Writes `source/pieces.json` and `target/pieces.json`, and `copies.json` where something is copied."""
        for name in ("source", "target"):
            getattr(self, name).save(Path(folder) / name)
        if self.copies is not None:
            self.copies.save(folder)

    @classmethod
    def load(cls, folder: str | Path) -> PairVocabularies:
        """Reads what `save` wrote; raises CheckpointError."""
        copies = CopiedSpans.load(folder)
        kind = PieceVocabulary if copies is None else SpanPieces
        return cls(kind.load(Path(folder) / "source"), kind.load(Path(folder) / "target"), copies)


def symbols_among(vocabulary: PieceVocabulary, ids: Tensor) -> Tensor:
    """Which of the ids, of any shape, stand for spans; bool."""
    return vocabulary.numbers(ids) >= 0 if isinstance(vocabulary, SpanPieces) else tf.zeros_like(ids, tf.bool)


def with_spans(vocabulary: PieceVocabulary, ids: Tensor, texts: Tensor, spans: Tensor | None) -> Tensor:
    """What ids `(batch, places)` stand for, strings of that shape: the texts, but for a symbol its span."""
    if spans is None or not isinstance(vocabulary, SpanPieces):
        return texts
    numbers = vocabulary.numbers(ids)
    return tf.where(numbers >= 0, tf.gather(spans, tf.maximum(numbers, 0), batch_dims=1), texts)


def _cut(vocabulary: PieceVocabulary, texts: Tensor, spans: Tensor | None) -> Sentences:
    """Texts `(batch,)` with symbols for spans `(batch, symbols)`, in pieces."""
    ids, lengths, pieces = vocabulary.encode_with_texts(texts)
    return Sentences(ids, lengths, with_spans(vocabulary, ids, pieces, spans), spans)


def shared_texts(copies: CopiedSpans, pairs: Sequence[Pair]) -> Iterator[tuple[list[str], list[str]]]:
    """Both sides of training pairs with symbols for the spans that both hold, in chunks.

    The first span of each pair has another symbol than that of the pair before, so that all are learned alike.
    """
    for start in range(0, len(pairs), CHUNK):
        sources, targets = (list(side) for side in zip(*pairs[start : start + CHUNK], strict=True))
        shift = np.arange(start, start + len(sources), dtype=np.int32) * 7 % len(SYMBOLS)
        masked = copies.mask_shared(tf.constant(sources), tf.constant(targets), tf.constant(shift))
        first, second = ([text.decode() for text in side.numpy()] for side in masked)
        yield first, second


def _seen(copies: CopiedSpans | None, pairs: Sequence[Pair], side: int) -> Iterator[str]:
    """What a vocabulary is learned from: the texts of one side, without what is copied."""
    if copies is None:
        yield from (pair[side] for pair in pairs)
        return
    without = str.maketrans("", "", SYMBOLS)
    for chunk in shared_texts(copies, pairs):
        yield from (text.translate(without) for text in chunk[side])


def vocabulary_axes(network: keras.Model) -> dict[str, dict[str, int]]:
    """The weights that are indexed by the vocabularies "source" and "target": path -> axis."""
    axes = {
        "source": {"source_embedding/embeddings": 0},
        "target": {"target_embedding/embeddings": 0, "scores/kernel": 1, "scores/bias": 0},
    }
    paths = {weight.path for weight in network.weights}
    return {side: {path: axis for path, axis in own.items() if path in paths} for side, own in axes.items()}
