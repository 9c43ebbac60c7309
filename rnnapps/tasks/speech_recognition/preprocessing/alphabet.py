"""What a speech recogniser writes: characters or words as ids, and back to text, in graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.tasks.speech_recognition.data.config import Unit
from rnnapps.types import Array, Tensor

__all__ = ["BLANK", "Alphabet", "split_symbols"]

BLANK = 0
FILE_NAME = "alphabet.json"


class Alphabet:
    """Symbols with ids from 1 on; id 0 is the blank of CTC, which stands for no symbol.

    Args:
        symbols: characters (the space among them) or words, in the order of their ids.
        unit: "characters" or "words".

    Raises:
        ValueError: a symbol repeats, is empty, or does not fit the unit.
    """

    def __init__(self, symbols: Sequence[str], unit: Unit = "characters") -> None:
        self.symbols, self.unit = tuple(symbols), unit
        if unit not in ("characters", "words"):
            raise ValueError(f"unit must be characters or words, not {unit!r}")
        if len(set(self.symbols)) != len(self.symbols) or not all(self.symbols):
            raise ValueError("symbols must not be empty or repeat")
        if unit == "characters" and any(len(symbol) != 1 for symbol in self.symbols):
            raise ValueError("characters have one code point each")
        if unit == "words" and any(symbol.split() != [symbol] for symbol in self.symbols):
            raise ValueError("words hold no space")
        self._ids = {symbol: number for number, symbol in enumerate(self.symbols, start=1)}

    @property
    def size(self) -> int:
        """Number of ids, the blank among them."""
        return len(self.symbols) + 1

    @property
    def space(self) -> int:
        """Id of the space; -1 where words are the unit, or no transcript has two words."""
        return self._ids.get(" ", -1)

    @classmethod
    def fit(cls, transcripts: Iterable[str], unit: Unit) -> Alphabet:
        """The symbols of the transcripts, in the order of their code points."""
        return cls(sorted({symbol for text in transcripts for symbol in split_symbols(text, unit)}), unit)

    def grow(self, transcripts: Iterable[str]) -> Alphabet:
        """An alphabet with the new symbols of the transcripts behind the known ones, whose ids stay."""
        new = Alphabet.fit(transcripts, self.unit).symbols
        return Alphabet([*self.symbols, *(symbol for symbol in new if symbol not in self._ids)], self.unit)

    def encode(self, transcript: str) -> Array:
        """Ids int32 `(symbols,)` of a transcript whose symbols are all known.

        Raises:
            KeyError: a symbol is not known.
        """
        return np.array([self._ids[symbol] for symbol in split_symbols(transcript, self.unit)], np.int32)

    def decode(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Transcripts `(batch,)` of ids `(batch, symbols)` and their lengths `(batch,)`, in graph.

        Spaces at the ends are dropped, and several in a row are one.
        """
        return tf.strings.strip(tf.strings.regex_replace(self.pieces(ids, lengths), " +", " "))

    def pieces(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """What the ids add to a transcript `(batch,)`, in graph; words come with a space before them."""
        separator = " " if self.unit == "words" else ""
        table = tf.constant(["", *(separator + symbol for symbol in self.symbols)])
        inside = tf.sequence_mask(lengths, tf.shape(ids)[1])
        return tf.strings.reduce_join(tf.gather(table, tf.where(inside, ids, BLANK)), axis=1)

    def word_starts(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(whether a symbol begins a word, whether it belongs to one), bool `(batch, symbols)`, in graph."""
        inside = tf.sequence_mask(lengths, tf.shape(ids)[1])
        if self.unit == "words":
            return inside, inside
        within = inside & tf.not_equal(ids, self.space)
        before = tf.pad(within, [[0, 0], [1, 0]])[:, :-1]
        return within & ~before, within

    def save(self, folder: str | Path) -> None:
        """Writes `alphabet.json`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        write_json(Path(folder) / FILE_NAME, {"unit": self.unit, "symbols": list(self.symbols)})

    @classmethod
    def load(cls, folder: str | Path) -> Alphabet:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: the file is missing or broken.
        """
        path = Path(folder) / FILE_NAME
        content = read_json(path)
        try:
            return cls(content["symbols"], content["unit"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: is no alphabet ({error}); restore the file or train again") from None


def split_symbols(transcript: str, unit: Unit) -> list[str]:
    """The symbols of a transcript."""
    return transcript.split() if unit == "words" else list(transcript)
