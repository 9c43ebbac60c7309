"""Words and phrases that a transcript is likelier to hold: an automaton that favours them in beam search, in graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from rnnapps.data.sources import read_bytes
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.speech_recognition.data.utterance import normalize_transcript
from rnnapps.tasks.speech_recognition.decoding.symbol_model import Memory, SymbolModel
from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet, split_symbols
from rnnapps.types import Tensor

__all__ = ["Favoured", "HotWords", "read_hot_words"]

MAXIMUM_BYTES = 1 << 20
LARGEST_TABLE = 1 << 21
"""Entries: 16 MB in an export."""

Phrase = tuple[int, ...]


class HotWords:
    """What every symbol adds to the score of a transcript, by how much of a phrase stands at its end.

    Each symbol of a phrase that goes on adds the boost; where a transcript leaves a phrase before its end, all that the
    phrase has added is taken back, so that in the end whole phrases alone are favoured, by the boost times their
    symbols. Phrases begin and end where words do.

    Args:
        phrases: ids of the symbols of each, none empty.
        ids: number of ids, the blank among them.
        space: id of the space; -1 where words are the units.
        boost: in nats.

    Attributes:
        following: the state after each state and symbol, int32 `(states, ids)`; state 0 is the beginning of a word.
        gains: what that adds, float32 `(states, ids)`.
        endings: what the end of the transcript adds, float32 `(states,)`.
    """

    def __init__(self, phrases: Sequence[Sequence[int]], *, ids: int, space: int, boost: float) -> None:
        self._space, self._phrases = space, {tuple(phrase) for phrase in phrases}
        paths: dict[Phrase, int] = {(): 0}
        for phrase in sorted(self._phrases):
            for length in range(1, len(phrase) + 1):
                paths.setdefault(phrase[:length], len(paths))
        elsewhere = len(paths)  # within a word that begins no phrase
        self.following = np.full((elsewhere + 1, ids), elsewhere, np.int32)
        self.gains = np.zeros((elsewhere + 1, ids), np.float32)
        self.endings = np.zeros(elsewhere + 1, np.float32)
        for path, state in paths.items():
            self.endings[state] = boost * (self._whole(path) - len(path))
            for symbol in range(1, ids):
                after, kept = self._after(path, symbol, paths)
                self.following[state, symbol] = elsewhere if after is None else paths[after]
                self.gains[state, symbol] = boost * (kept + len(after or ()) - len(path))
        if space > 0:
            self.following[elsewhere, space] = 0
        else:
            self.following[elsewhere] = self.following[0]
            self.gains[elsewhere] = self.gains[0]

    def _after(self, path: Phrase, symbol: int, paths: dict[Phrase, int]) -> tuple[Phrase | None, int]:
        """The longest part of a phrase that a path and a further symbol end in, and the symbols that are favoured."""
        longer = (*path, symbol)
        if longer in paths:
            return longer, 0
        kept = self._whole(path, symbol)
        for first in self._beginnings(longer, kept):
            if longer[first:] in paths:
                return longer[first:], kept
        return None, kept

    def _whole(self, path: Phrase, symbol: int | None = None) -> int:
        """Symbols of the longest phrase that a path begins with, and that ends where a word does."""
        behind = (*path, self._space if symbol is None else symbol)
        lengths = range(len(path), 0, -1)
        ends = (length for length in lengths if self._space < 0 or behind[length] == self._space)
        return next((length for length in ends if path[:length] in self._phrases), 0)

    def _beginnings(self, path: Phrase, kept: int) -> Iterator[int]:
        """Where a word begins in a path, behind the phrase that is kept."""
        for place in range(max(kept, 1), len(path) + 1):
            if self._space < 0 or path[place - 1] == self._space:
                yield place


class Favoured:
    """A language model, or none, with phrases that it favours.

    Args:
        hot_words: the phrases.
        model: scores symbols; None for none.
        weight: of the model.
    """

    def __init__(self, hot_words: HotWords, model: SymbolModel | None, weight: Tensor | float) -> None:
        self._hot_words, self._model, self._weight = hot_words, model, weight

    def initial(self, rows: Tensor | int) -> Memory:
        """States at the beginning of a transcript."""
        hot = tf.zeros(tf.reshape(rows, [1]), tf.int32)
        return {"hot": hot} if self._model is None else {"hot": hot, "model": self._model.initial(rows)}

    def log_probabilities(self, states: Memory) -> Tensor:
        """float32 `(rows, ids)` of the next symbol: the weighted model's, and what the phrases add."""
        gains = tf.gather(tf.constant(self._hot_words.gains), states["hot"])
        return gains if self._model is None else gains + self._weight * self._model.log_probabilities(states["model"])

    def advance(self, states: Memory, symbols: Tensor) -> Memory:
        """States after symbols int32 `(rows,)`."""
        places = tf.stack([states["hot"], symbols], axis=1)
        hot = tf.gather_nd(tf.constant(self._hot_words.following), places)
        if self._model is None:
            return {"hot": hot}
        return {"hot": hot, "model": self._model.advance(states["model"], symbols)}

    def at_end(self, states: Memory) -> Tensor:
        """What a transcript loses that ends within a phrase, float32 `(rows,)`."""
        return tf.gather(tf.constant(self._hot_words.endings), states["hot"])


def read_hot_words(path: str, alphabet: Alphabet, *, boost: float) -> HotWords:
    """The words and phrases of a text file, one a line.

    Raises:
        ConfigError: the file cannot be read, holds none, too many, or one that the model cannot write.
    """
    try:
        content = read_bytes(Path(path), maximum_bytes=MAXIMUM_BYTES).decode("utf-8-sig")
    except (DataError, UnicodeDecodeError) as error:
        raise ConfigError(f"decoding.hot_words: {error}") from None
    phrases, punctuation = [], any(not (each.isalnum() or each in " '") for each in "".join(alphabet.symbols))
    for number, line in enumerate(content.splitlines(), start=1):
        text = normalize_transcript(line, keep_punctuation=punctuation)
        symbols = split_symbols(text, alphabet.unit)
        if unknown := [symbol for symbol in symbols if symbol not in alphabet.symbols]:
            problem = f"line {number}: {line.strip()[:40]!r} holds {unknown[0]!r}, which the model cannot write"
            raise ConfigError(f"decoding.hot_words: {path}: {problem}; write it otherwise, or leave it out")
        if symbols:
            phrases.append(alphabet.encode(text).tolist())
    if not phrases:
        raise ConfigError(f"decoding.hot_words: {path}: holds no word; write one a line")
    if sum(map(len, phrases)) * alphabet.size > LARGEST_TABLE:
        raise ConfigError(
            f"decoding.hot_words: {path}: holds {len(phrases):,} phrases, too many for a table; give fewer"
        )
    return HotWords(phrases, ids=alphabet.size, space=alphabet.space, boost=boost)
