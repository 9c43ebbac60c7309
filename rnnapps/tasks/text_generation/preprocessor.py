"""What a text model learns from its training text before anything is trained."""

from __future__ import annotations

from pathlib import Path

from rnnapps.metrics.ngram_baselines import MOST_SYMBOLS
from rnnapps.preprocessing.characters import CharacterVocabulary
from rnnapps.tasks.text_generation.blend.grams import GramTable
from rnnapps.tasks.text_generation.model_config import TextModelConfig
from rnnapps.types import Array

__all__ = ["TextPreprocessor"]


class TextPreprocessor(CharacterVocabulary):
    """The characters of a text, and its n-grams where the model is blended with them.

    Args:
        characters: the known characters in the order of their ids, each once.
        grams: the n-grams of the training text; None where the network stands alone.
    """

    def __init__(self, characters: str, grams: GramTable | None = None) -> None:
        super().__init__(characters)
        self.grams = grams

    def with_grams(self, config: TextModelConfig, ids: Array) -> TextPreprocessor:
        """The same characters with the n-grams of a text `(characters,)`."""
        return TextPreprocessor(self.characters, self.count(config, ids))

    def count(self, config: TextModelConfig, ids: Array) -> GramTable:
        """The n-grams of a text `(characters,)`, of a long one those of its last 20 million characters."""
        return GramTable.count(
            ids[-MOST_SYMBOLS:],
            vocabulary_size=self.size,
            order=config.ngram_order,
            most_bytes=round(config.ngram_megabytes * 1e6),
        )

    def save(self, folder: str | Path) -> None:
        """Writes `characters.json`, and `ngrams.npz` where there are n-grams.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        super().save(folder)
        if self.grams is not None:
            self.grams.save(Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> TextPreprocessor:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: a file is missing or broken.
        """
        return cls(super().load(folder).characters, GramTable.load(Path(folder)))
