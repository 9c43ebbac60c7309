"""The two vocabularies of a translation model, and the weights they index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import keras

from rnnapps.preprocessing.fit_pieces import fit_pieces, grow_pieces
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.pairs import Pair

__all__ = ["PairVocabularies", "vocabulary_axes"]


class PairVocabularies:
    """Source and target vocabulary: the preprocessor of translation.

    Args:
        source: pieces of the sentences that are read.
        target: pieces of the translations.
    """

    def __init__(self, source: PieceVocabulary, target: PieceVocabulary) -> None:
        self.source, self.target = source, target

    @classmethod
    def fit(cls, config: PairDataConfig, pairs: Sequence[Pair]) -> PairVocabularies:
        """Learns both from training pairs."""
        sizes = (config.source_vocabulary, config.target_vocabulary)
        return cls(
            *(
                fit_pieces(_side(pairs, side), tokens=config.tokens, size=size, lowercase=config.lowercase)
                for side, size in enumerate(sizes)
            )
        )

    def grow(self, config: PairDataConfig, pairs: Sequence[Pair]) -> PairVocabularies:
        """Adds what new training pairs need."""
        both = enumerate((self.source, self.target))
        return PairVocabularies(*(grow_pieces(old, _side(pairs, side), most=config.grow_tokens) for side, old in both))

    def save(self, folder: str | Path) -> None:
        """Writes `source/pieces.json` and `target/pieces.json`."""
        for name in ("source", "target"):
            getattr(self, name).save(Path(folder) / name)

    @classmethod
    def load(cls, folder: str | Path) -> PairVocabularies:
        """Reads what `save` wrote; raises CheckpointError."""
        return cls(*(PieceVocabulary.load(Path(folder) / name) for name in ("source", "target")))


def _side(pairs: Sequence[Pair], side: int) -> Iterator[str]:
    """One side of all pairs."""
    return (pair[side] for pair in pairs)


def vocabulary_axes(network: keras.Model) -> dict[str, dict[str, int]]:
    """The weights that are indexed by the vocabularies "source" and "target": path -> axis."""
    axes = {
        "source": {"source_embedding/embeddings": 0},
        "target": {"target_embedding/embeddings": 0, "scores/kernel": 1, "scores/bias": 0},
    }
    paths = {weight.path for weight in network.weights}
    return {side: {path: axis for path, axis in own.items() if path in paths} for side, own in axes.items()}
