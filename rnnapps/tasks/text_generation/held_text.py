"""A text that is held out: its tokens, and what makes scores of any tokens comparable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnnapps.metrics.ngram_baselines import MOST_SYMBOLS, ngram_losses
from rnnapps.metrics.text import TextScore
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.text import joined
from rnnapps.tasks.text_generation.tokens.characters import Characters
from rnnapps.tasks.text_generation.tokens.vocabulary import TextVocabulary, ids_of
from rnnapps.types import Array

__all__ = ["HeldText", "beginning", "naive_scores"]

LONGEST_MEAN = 50
"""Characters a word; texts of longer ones, as of languages without spaces, have no words that are worth counting."""


@dataclass(frozen=True)
class HeldText:
    """A text that is held out.

    Attributes:
        ids: its tokens `(tokens,)`; all but the first are scored.
        sizes: characters of the scored ones `(tokens - 1,)`; None where each is one.
        words: what white space parts; 0 where that is not worth counting.
    """

    ids: Array
    sizes: Array | None
    words: int

    @classmethod
    def of(cls, vocabulary: TextVocabulary, split: tf.data.Dataset) -> HeldText:
        """The text of a split."""
        ids, text = vocabulary.encode_all(split), joined(split)
        lengths = np.array([len(written) for written in vocabulary.texts])
        sizes = None if vocabulary.kind == "characters" else lengths[ids[1:]]
        words = len(text.split())
        return cls(ids, sizes, words if len(text) <= LONGEST_MEAN * words else 0)

    def score(self, losses: Array) -> TextScore:
        """The score of nats `(tokens - 1,)`."""
        return TextScore(losses, self.sizes, self.words)


def beginning(ids: Array, vocabulary: TextVocabulary, characters: int) -> Array:
    """The first tokens of a text `(tokens,)`, two at least, as far as so many characters go."""
    texts = vocabulary.texts
    sizes = np.cumsum([len(texts[number]) for number in ids[:characters]])
    return ids[: max(2, int(np.searchsorted(sizes, characters, side="right")))]


def naive_scores(
    vocabulary: TextVocabulary, train: tf.data.Dataset | StoredText, held_out: tf.data.Dataset
) -> dict[str, TextScore]:
    """Scores of n-grams of the same tokens on a held-out text, and, beside words and subwords, of characters.

    Args:
        vocabulary: the tokens.
        train: the texts that are counted.
        held_out: the text that is scored.
    """
    text, counted = HeldText.of(vocabulary, held_out), ids_of(vocabulary, train)[-MOST_SYMBOLS:]
    if text.sizes is None:
        losses = ngram_losses(counted, text.ids, vocabulary_size=vocabulary.size)
        return {name: text.score(own) for name, own in losses.items()}
    losses = ngram_losses(counted, text.ids, vocabulary_size=vocabulary.size, shortest=2)
    named = {f"{name} of {vocabulary.kind}": text.score(own) for name, own in losses.items()}
    characters = Characters.learned(train)
    spelled_ids = ids_of(characters, train)[-MOST_SYMBOLS:], characters.encode_all(held_out)
    spelled = ngram_losses(*spelled_ids, vocabulary_size=characters.size)
    # Of the first token nothing is scored; a later one costs what its characters do.
    begins = np.cumsum([0, *text.sizes[:-1]])
    for name, own in spelled.items():
        named[f"{name} of characters"] = text.score(np.add.reduceat(own[len(own) - text.sizes.sum() :], begins))
    return named
