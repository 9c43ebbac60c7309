"""What a text model learns from its training text before anything is trained."""

from __future__ import annotations

from pathlib import Path

from rnnapps.data.text.stored_ids import StoredIds
from rnnapps.errors import ConfigError
from rnnapps.metrics.ngram_baselines import MOST_SYMBOLS
from rnnapps.preprocessing.pieces import FILE_NAME as PIECES_FILE
from rnnapps.tasks.text_generation.blend.grams import GramTable
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.model_config import TextModelConfig
from rnnapps.tasks.text_generation.tokens.characters import Characters
from rnnapps.tasks.text_generation.tokens.fit import fit_text_pieces, grow_text_pieces
from rnnapps.tasks.text_generation.tokens.pieces import TextPieces
from rnnapps.tasks.text_generation.tokens.vocabulary import Texts
from rnnapps.types import Array

__all__ = ["TextPreprocessor"]


class TextPreprocessor:
    """The tokens of a text, and its n-grams where the model is blended with them.

    Args:
        vocabulary: characters, words or subwords.
        grams: the n-grams of the training text; None where the network stands alone.
    """

    def __init__(self, vocabulary: Characters | TextPieces, grams: GramTable | None = None) -> None:
        self.vocabulary, self.grams = vocabulary, grams

    @classmethod
    def fit(cls, config: TextDataConfig, texts: Texts | StoredText) -> TextPreprocessor:
        """Learns the tokens of texts."""
        if config.tokens == "characters":
            return cls(Characters.learned(texts))
        return cls(fit_text_pieces(texts, subwords=config.tokens == "subwords", size=config.vocabulary))

    def grow(self, config: TextDataConfig, texts: Texts | StoredText) -> TextPreprocessor:
        """Adds what new texts need behind the known tokens, without n-grams.

        Raises:
            ConfigError: other tokens are asked for.
        """
        self.require_tokens(config)
        if isinstance(self.vocabulary, Characters):
            return TextPreprocessor(self.vocabulary.with_more(texts))
        return TextPreprocessor(grow_text_pieces(self.vocabulary, texts, most=config.grow_tokens))

    def require_tokens(self, config: TextDataConfig) -> None:
        """Raises ConfigError where the settings name tokens of another kind than these."""
        if config.tokens != self.vocabulary.kind:
            told = f"the model was trained on {self.vocabulary.kind}, and reads nothing else"
            raise ConfigError(
                f"data.tokens is {config.tokens}, but {told}; leave the setting out, or train a new model"
            )

    @property
    def size(self) -> int:
        """Number of ids."""
        return self.vocabulary.size

    def with_grams(self, config: TextModelConfig, ids: Array | StoredIds) -> TextPreprocessor:
        """The same tokens with the n-grams of a text `(tokens,)`."""
        return TextPreprocessor(self.vocabulary, self.count(config, ids))

    def count(self, config: TextModelConfig, ids: Array | StoredIds) -> GramTable:
        """The n-grams of a text `(tokens,)`, of a long one those of its last 20 million tokens."""
        return GramTable.count(
            ids[-MOST_SYMBOLS:],
            vocabulary_size=self.size,
            order=config.ngram_order,
            most_bytes=round(config.ngram_megabytes * 1e6),
        )

    def save(self, folder: str | Path) -> None:
        """Writes `characters.json` or `pieces.json`, and `ngrams.npz` where there are n-grams.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        self.vocabulary.save(folder)
        if self.grams is not None:
            self.grams.save(Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> TextPreprocessor:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: a file is missing or broken.
        """
        grams = GramTable.load(Path(folder))
        if (Path(folder) / PIECES_FILE).exists():
            return cls(TextPieces.load(folder), grams)
        return cls(Characters(Characters.load(folder).characters), grams)
